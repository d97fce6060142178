import type { Proof } from '../src/backups/proof.ts';
import type { Run } from '../src/runs/run.ts';
import { sayDuration } from '../src/shared/duration.ts';
import { runLink } from './beside.ts';
import { code, mentionUser, plain } from './escape.ts';
import { findingLines } from './findings.ts';
import { fitCard } from './fit.ts';
import { measureRun } from './measure.ts';
import { context, type Message, section, sections } from './message.ts';
import { when } from './when.ts';

/** The end of a drill: whether the set is proven, and how far each system's part was tried. */
export function drillDone(run: Run, now: Date, link: string | null): Message {
  const environment = plain(run.environment, 60).toUpperCase();
  const order = ['failed', 'warning', 'skipped', 'passed'] as const;
  const sorted = order.flatMap((status) => run.findings.filter((finding) => finding.status === status));
  const proven = run.findings.length > 0 && run.findings.every(({ status }) => status !== 'failed');
  const set = run.plan.subject;
  const took = measureRun(run, now).milliseconds;
  const verdict = proven ? '✓ *$ · backup proven*' : '✗ *$ · the backup is NOT proven*';
  const next = proven
    ? ''
    : `\nDo not count on ${code(set, 80)}. Make a new one: ${code(`/tas backup env:${run.environment}`, 80)}`;
  return fitCard({
    text: `${environment} · backup ${proven ? 'proven' : 'NOT proven'}: ${plain(set, 80)}`,
    head: [
      section(`${verdict.replace('$', () => environment)}\n${mentionUser(run.requester.id)}: ${code(set, 80)}${next}`),
    ],
    body: sections(sorted.flatMap(findingLines)),
    tail: [
      context(`${runLink(run.id, link)}${took === null ? '' : ` · ${sayDuration(took)}`} · nothing live was written`),
    ],
  });
}

/** `✓ proven 20 Nov, 41 s (relational restored; graph read back)`, or that it is not. */
export function sayProven(proof: Proof | null): string {
  if (proof === null) return '⚠ not proven';
  const took = sayDuration(proof.seconds * 1000);
  return `✓ proven ${when(proof.at)} in ${took}${saySystems(proof.systems ?? {})}`;
}

const mostNamed = 8;

const depths = [
  ['restored', 'restored'],
  ['read', 'read back'],
  ['checksums', 'checksums only'],
] as const;

function saySystems(systems: NonNullable<Proof['systems']>): string {
  const groups = depths.flatMap(([depth, word]) => {
    const names = Object.keys(systems).filter((name) => systems[name] === depth);
    const more = names.length > mostNamed ? ` and ${names.length - mostNamed} more` : '';
    const named = names.slice(0, mostNamed).map((name) => plain(name, 40));
    return names.length === 0 ? [] : [`${named.join(', ')}${more} ${word}`];
  });
  return groups.length === 0 ? '' : ` (${groups.join('; ')})`;
}
