import type { SystemConfig } from './config.ts';

/** An address that is reached over TLS. */
export interface TlsPlace {
  readonly host: string;
  readonly port: number;
}

const boltPort = 7687;

/** Where a system is reached over TLS by its configured address; a cluster's own file is not looked into. */
export function tlsPlacesOf(system: SystemConfig): readonly TlsPlace[] {
  switch (system.type) {
    case 'kafka':
      return system.tls ? system.brokers.flatMap((broker) => placeOf(`https://${broker}`)) : [];
    case 'redis':
      return system.tls ? [{ host: system.host, port: system.port }] : [];
    case 'deeplake':
      return [system.s3?.endpointUrl, system.service?.url, system.embeddings?.url].flatMap(placeOf);
    case 'keycloak':
      return [system.url, system.managementUrl].flatMap(placeOf);
    case 'neo4j':
    case 'minio':
    case 'prometheus':
    case 'http':
      return placeOf(system.url);
    case 'postgres':
    case 'kubernetes':
      return [];
  }
}

function placeOf(address: string | undefined): TlsPlace[] {
  if (address === undefined || !URL.canParse(address)) return [];
  const { protocol, hostname, port } = new URL(address);
  const isHttps = protocol === 'https:';
  // bolt+s, neo4j+ssc …
  if (!isHttps && !protocol.includes('+')) return [];
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  return [{ host, port: port === '' ? (isHttps ? 443 : boltPort) : Number(port) }];
}
