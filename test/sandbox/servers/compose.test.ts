import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { composeEnvironment } from '../../../sandbox/servers/compose.ts';
import { eachServer, type SandboxState } from '../../../sandbox/servers/state.ts';

const state: SandboxState = {
  version: 1,
  id: '0123456789ab',
  means: 'docker',
  fast: false,
  jit: 'quick',
  owner: null,
  ports: { ...eachServer(20_001), postgres: 20002, botPostgres: 20003, minio: 20004 },
  passwords: { ...eachServer('other'), neo4j: 'graph', postgres: 'rows', botPostgres: 'memory', minio: 'objects' },
  postgresFolder: '/var/tmp/none',
  postgresTools: null,
  seeded: null,
};

describe('compose.yaml', () => {
  it('uses exactly the variables that the sandbox sets', async () => {
    const text = await readFile(join(import.meta.dirname, '../../../compose.yaml'), 'utf8');
    const used = new Set([...text.matchAll(/(?<!\$)\$\{([A-Z0-9_]+):\?\}/g)].map((match) => match[1]));
    const set = composeEnvironment(state)
      .trim()
      .split('\n')
      .map((line) => line.split('=')[0]);
    expect([...used].sort()).toEqual(set.sort());
  });

  it('pins every image and opens ports on this machine only', async () => {
    const file = parse(await readFile(join(import.meta.dirname, '../../../compose.yaml'), 'utf8')) as {
      services: { [name: string]: { image: string; ports: string[] } };
    };
    expect(Object.keys(file.services).sort()).toEqual(['bot-postgres', 'minio', 'neo4j', 'postgres']);
    for (const { image, ports } of Object.values(file.services)) {
      expect(image).toMatch(/:(\d+\.\d+|RELEASE\.\d{4})/);
      for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
    }
  });
});
