import type { Finding } from '../finding.ts';
import { failed, warning } from './find-services.ts';
import { sayService, type Workload } from './workload.ts';

/** Databases whose new major version does not read the files of the old one. */
const filesByMajor: readonly string[] = ['postgres', 'postgresql', 'postgis', 'mysql', 'mariadb', 'mongo'];

interface Image {
  /** The last part of the repository's path. */
  readonly name: string;
  /** The numbers at the beginning of the tag; empty = it tells none. */
  readonly version: readonly number[];
}

/** `registry:5000/team/postgres:15.4-alpine@sha256:…` → postgres, 15.4. */
function readImage(image: string): Image {
  const [whole = ''] = image.split('@');
  const last = whole.slice(whole.lastIndexOf('/') + 1);
  const [name = '', tag = ''] = last.split(':');
  const numbers = /^v?(\d+(?:\.\d+)*)/.exec(tag)?.[1] ?? '';
  return { name, version: numbers === '' ? [] : numbers.split('.').map(Number) };
}

/** What the new image would do to what the pods have stored. */
export function judgeImage(workload: Workload, container: string, before: string, after: string): Finding[] {
  const [old, next] = [readImage(before), readImage(after)];
  const where = `${sayService(workload)}: ${container}`;
  if (filesByMajor.includes(old.name) && old.name === next.name && old.version[0] !== next.version[0]) {
    const unknown = next.version.length === 0 || old.version.length === 0;
    const title = unknown
      ? `${where} would get ${after}, and nobody knows whether it reads the files of ${before}`
      : `${where} would go from ${old.name} ${old.version[0]} to ${next.version[0]}, which does not read its files`;
    const advice =
      'Make a new server of that version, restore a dump into it and switch to it; or run pg_upgrade by hand. The image of the same major version can be set.';
    return [failed('database-major', title, advice, workload)];
  }
  if (workload.kind !== 'StatefulSet' || old.name !== next.name || !isLower(next.version, old.version)) return [];
  const title = `${where} would go back from ${before} to ${after}`;
  const advice = 'See whether the older version reads what the newer one has written; have a proven backup.';
  return [warning('version-lower', title, advice, workload)];
}

function isLower(a: readonly number[], b: readonly number[]): boolean {
  for (let i = 0; i < Math.min(a.length, b.length); i += 1) {
    if (a[i] !== b[i]) return Number(a[i]) < Number(b[i]);
  }
  return false;
}
