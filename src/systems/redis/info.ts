import type { Connection } from './connection.ts';

/** One section of what the server tells about itself, e.g. `server`, `memory`, `clients`, `replication`, `persistence`. */
export async function readInfo(connection: Connection, section: string): Promise<ReadonlyMap<string, string>> {
  const lines = String(await connection.ask('INFO', section)).split('\r\n');
  return new Map(
    lines.flatMap((line): [string, string][] => {
      const at = line.indexOf(':');
      return at > 0 && !line.startsWith('#') ? [[line.slice(0, at), line.slice(at + 1)]] : [];
    }),
  );
}
