import { answer } from '../../commands/answer.ts';
import type { Reply } from '../../commands/command.ts';
import { parseWords } from '../../commands/parse-words.ts';
import type { NewSchedule } from '../../src/schedules/schedule-desk.ts';
import { fakeDesks } from '../fake-desks.ts';
import { alice, FakeDoor } from '../fake-door.ts';

let door: FakeDoor;
let added: NewSchedule[];

async function ask(line: string): Promise<Reply> {
  const noSchedule = { kind: 'refused', code: 'wrong-use', message: '', advice: '', findings: [] } as const;
  const schedules = {
    list: async () => [],
    change: async () => noSchedule,
    async add(request: NewSchedule) {
      added.push(request);
      return noSchedule;
    },
  };
  return answer(parseWords(line), { door, desks: fakeDesks({ schedules }), person: alice, show: null });
}

beforeEach(() => {
  door = new FakeDoor();
  added = [];
});

describe('a drill', () => {
  it.each([
    ['backup prove env:sandbox', ''],
    ['backup prove bak-20261122-100000-aaaa env:sandbox', 'bak-20261122-100000-aaaa'],
  ])('%s goes through the door', async (line, subject) => {
    await ask(line);
    expect(door.asked).toMatchObject([{ action: 'drill', environment: 'sandbox', subject, person: alice }]);
  });

  it.each(['backup now env:sandbox', 'backup list bak-1 env:sandbox', 'backup prove a b env:sandbox'])(
    '%s is no command, and nothing is asked for',
    async (line) => {
      await expect(ask(line)).rejects.toMatchObject({ code: 'wrong-use' });
      expect(door.asked).toEqual([]);
    },
  );

  it('asks which environment is meant', async () => {
    await ask('backup prove');
    expect(door.asked).toEqual([]);
  });
});

describe('what may be asked for at set times', () => {
  it.each(['validate', 'backup', 'drill', 'retention', 'self-check'])('is %s', async (action) => {
    await ask(`schedule add ${action} env:sandbox cron:"0 3 * * *"`);
    expect(added).toMatchObject([{ action, environment: 'sandbox', cron: '0 3 * * *', zone: null, quiet: false }]);
  });

  it('is nothing that changes data', async () => {
    for (const action of ['migrate', 'restore', 'rollback', 'release']) {
      await expect(ask(`schedule add ${action} env:sandbox cron:"0 3 * * *"`)).rejects.toMatchObject({
        code: 'wrong-use',
      });
    }
    expect(added).toEqual([]);
  });
});
