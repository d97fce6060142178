import { isIP } from 'node:net';
import { connect } from 'node:tls';
import { withinTime } from '../shared/within-time.ts';
import type { Finding } from '../systems/finding.ts';

/** How long a server may take to show its certificate, in milliseconds. */
const patience = 5_000;
/** So long before the end somebody should know, in milliseconds. */
const early = 14 * 86_400_000;

/**
 * When the certificates of servers end, by system; of several addresses the earliest. Servers that are down or show none are
 * left out: they are for others to find. Nothing is sent to them, so nothing has to be trusted.
 */
export async function readCertificateEnds(
  places: ReadonlyMap<string, readonly { readonly host: string; readonly port: number }[]>,
): Promise<ReadonlyMap<string, Date>> {
  const read = [...places].map(async ([system, addresses]): Promise<readonly (readonly [string, Date])[]> => {
    const ends = await Promise.all(addresses.map(({ host, port }) => readEnd(host, port)));
    const [earliest] = ends.filter((end) => end !== null).toSorted((one, other) => one.getTime() - other.getTime());
    return earliest === undefined ? [] : [[system, earliest]];
  });
  return new Map((await Promise.all(read)).flat());
}

async function readEnd(host: string, port: number): Promise<Date | null> {
  const servername = isIP(host) === 0 ? { servername: host } : {};
  const socket = connect({ host, port, rejectUnauthorized: false, ...servername });
  const shown = new Promise<Date | null>((resolve) => {
    socket.once('secureConnect', () => {
      const end = new Date(socket.getPeerCertificate().valid_to);
      resolve(Number.isNaN(end.getTime()) ? null : end);
    });
    socket.on('error', () => resolve(null));
    socket.once('close', () => resolve(null));
  });
  try {
    return await withinTime(shown, patience, () => null);
  } finally {
    socket.destroy();
  }
}

/** None where nothing is reached over TLS. */
export function judgeCertificates(ends: ReadonlyMap<string, Date>, now: Date): readonly Finding[] {
  if (ends.size === 0) return [];
  const check = 'certificates';
  const soon = [...ends].filter(([, end]) => end.getTime() - now.getTime() < early);
  if (soon.length === 0) {
    return [
      { check, title: 'No certificate of a system ends within 14 days', status: 'passed', count: 0, samples: [] },
    ];
  }
  const over = soon.some(([, end]) => end <= now);
  const samples = soon.map(([system, end]) => {
    const day = end.toISOString().slice(0, 10);
    return end <= now ? `${system}: ended on ${day}` : `${system}: ends on ${day}`;
  });
  return [
    {
      check,
      title: over ? 'A certificate of a system has ended' : 'A certificate of a system ends within 14 days',
      status: over ? 'failed' : 'warning',
      count: soon.length,
      samples,
      advice: 'Renew it: where it has ended, no run can reach the system.',
    },
  ];
}
