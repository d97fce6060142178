import { createServer as createPlainServer, type Server } from 'node:net';
import { createServer } from 'node:tls';
import type { SystemConfig } from '../../src/config/config.ts';
import { tlsPlacesOf } from '../../src/config/tls-places.ts';
import { readCertificateEnds } from '../../src/schedules/certificates.ts';
import { makeCertificate } from '../self-made-certificate.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function listen(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('it does not listen');
  return address.port;
}
const at = (port: number) => [{ host: '127.0.0.1', port }];
const days = (end: Date | undefined) => Math.round(((end?.getTime() ?? 0) - Date.now()) / 86_400_000);

it('reads when the certificate of a server ends, though nobody vouches for it, and of several the earliest', async () => {
  const [short, long] = [
    await listen(createServer(makeCertificate(3))),
    await listen(createServer(makeCertificate(40))),
  ];
  const ends = await readCertificateEnds(
    new Map([
      ['graph', at(short)],
      ['events', [...at(long), ...at(short)]],
      ['identity', at(long)],
    ]),
  );
  expect([...ends].map(([system, end]) => [system, days(end)])).toEqual([
    ['graph', 3],
    ['events', 3],
    ['identity', 40],
  ]);
});

it('leaves out a server that is down, and one that speaks no TLS', async () => {
  const plain = await listen(createPlainServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')));
  const gone = createServer(makeCertificate());
  const port = await listen(gone);
  await new Promise((resolve) => gone.close(resolve));
  servers.length = 1;
  const ends = await readCertificateEnds(
    new Map([
      ['plain', at(plain)],
      ['gone', at(port)],
      ['none', []],
    ]),
  );
  expect([...ends]).toEqual([]);
});

it.each<[string, Partial<SystemConfig>, readonly string[]]>([
  ['Neo4j over TLS', { type: 'neo4j', url: 'neo4j+s://graph.example' }, ['graph.example:7687']],
  ['Neo4j without', { type: 'neo4j', url: 'bolt://graph.example:7690' }, []],
  ['MinIO', { type: 'minio', url: 'https://objects.example' }, ['objects.example:443']],
  ['MinIO without', { type: 'minio', url: 'http://objects.example' }, []],
  [
    'Keycloak and its other port',
    { type: 'keycloak', url: 'https://id.example', managementUrl: 'https://[::1]:9000' },
    ['id.example:443', '::1:9000'],
  ],
  [
    'Kafka over TLS',
    { type: 'kafka', tls: true, brokers: ['a.example:9093', 'b.example:9094'] },
    ['a.example:9093', 'b.example:9094'],
  ],
  ['Kafka without', { type: 'kafka', tls: false, brokers: ['a.example:9092'] }, []],
  ['Redis over TLS', { type: 'redis', tls: true, host: 'cache.example', port: 6380 }, ['cache.example:6380']],
  [
    'DeepLake’s services',
    { type: 'deeplake', service: { url: 'https://vectors.example:8443/v1' } },
    ['vectors.example:8443'],
  ],
  ['PostgreSQL', { type: 'postgres', host: 'db.example', port: 5432 }, []],
])('knows where %s is reached over TLS', (_, system, expected) => {
  expect(tlsPlacesOf(system as SystemConfig).map(({ host, port }) => `${host}:${port}`)).toEqual(expected);
});
