import pg from 'pg';
import { describeSessionWatch } from '../session-watch.ts';
import { createFreshDatabase, type FreshDatabase } from './fresh-database.ts';

describe('postgres.await-no-sessions', () => {
  let database: FreshDatabase;

  afterEach(() => database.drop());

  describeSessionWatch('postgres.await-no-sessions', async () => {
    database = await createFreshDatabase();
    return {
      system: database.system,
      another: () => database.second(),
      async use(application) {
        const client = new pg.Client({ connectionString: database.url.href, application_name: application });
        // Dropping the database ends it from the other side.
        client.on('error', () => undefined);
        await client.connect();
        await client.query("SELECT 'private' AS secret");
        return () => client.end();
      },
    };
  });

  it('does not take a session under another user for the bot, whatever it calls itself', async () => {
    database = await createFreshDatabase();
    const role = `${database.name}_guest`;
    await database.sql(`CREATE ROLE ${role} LOGIN PASSWORD 'x'`);
    const url = database.at({ user: role, password: 'x' });
    const guest = new pg.Client({ connectionString: url.href, application_name: 'tas-bot' });
    await guest.connect();
    try {
      const kind = database.system.kinds.find(({ name }) => name === 'postgres.await-no-sessions');
      const preview = await kind?.preview(kind.input.parse({}), {} as never);
      expect(preview?.findings[0]?.samples).toEqual([`1 session of tas-bot (user ${role})`]);
    } finally {
      await guest.end();
      await database.sql(`DROP ROLE ${role}`);
    }
  });
});
