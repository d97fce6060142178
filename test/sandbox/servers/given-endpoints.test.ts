import { endpointVariables, readGivenEndpoints } from '../../../sandbox/servers/given-endpoints.ts';

describe('stores that somebody else runs', () => {
  it('are none where no variable names one', () => {
    expect(readGivenEndpoints({ TEST_NEO4J_USER: 'neo4j', TEST_MINIO_URL: '' })).toEqual({});
  });

  it('are read one by one, and the platform database stands for the maintenance database', () => {
    const given = readGivenEndpoints({ TEST_POSTGRES_URL: 'postgresql://super:s%40cret@db.local:6000/postgres' });
    expect(given).toEqual({
      postgres: {
        url: 'postgresql://super:s%40cret@db.local:6000/tas_shared',
        host: 'db.local',
        port: 6000,
        database: 'tas_shared',
        user: 'super',
        password: 's@cret',
        toolsFolder: null,
      },
    });
  });

  it('come back from the variables as they went in', () => {
    const variables = {
      TEST_NEO4J_URL: 'bolt://127.0.0.1:7687',
      TEST_NEO4J_USER: 'neo4j',
      TEST_NEO4J_PASSWORD: 'graph',
      TEST_POSTGRES_URL: 'postgresql://tasuser:rows@127.0.0.1:5432/postgres',
      TEST_BOT_POSTGRES_URL: 'postgresql://tas_bot:memory@127.0.0.1:5433/postgres',
      TEST_POSTGRES_TOOLS: '/usr/lib/postgresql/15/bin',
      TEST_MINIO_URL: 'http://127.0.0.1:9000',
      TEST_MINIO_ACCESS_KEY: 'key',
      TEST_MINIO_SECRET_KEY: 'objects',
    };
    const { neo4j, postgres, botPostgres, minio } = readGivenEndpoints(variables);
    if (!neo4j || !postgres || !botPostgres || !minio) throw new Error('one was not read');
    expect(endpointVariables({ neo4j, postgres, botPostgres, minio })).toEqual(variables);
  });
});
