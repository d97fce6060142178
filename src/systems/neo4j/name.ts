import { z } from 'zod';
import { Failure } from '../../shared/failure.ts';

/** Labels, types and properties that begin so are the bot's own; migrations and checks neither see nor write them. */
export function isInternalName(name: string): boolean {
  return /^_tas/i.test(name);
}

/**
 * A label, type, property, index or constraint name as Cypher text. The parser reads `\uXXXX` before anything else, so a
 * backslash is written as its own escape: else the name `a\u0060` would end the quotation.
 */
export function escapeName(name: string): string {
  if (name === '' || name.includes('\0')) {
    throw new Failure({
      code: 'invalid-statement',
      message: 'A label, type or property name is empty or contains the character NUL.',
      advice: 'Correct the name; Neo4j accepts neither.',
    });
  }
  return `\`${name.replaceAll('\\', '\\u005C').replaceAll('`', '``')}\``;
}

/** `:A:B`, or nothing for a node without labels. */
export function escapeLabels(labels: readonly string[]): string {
  return labels.map((label) => `:${escapeName(label)}`).join('');
}

/** A label, type or property in a migration file. */
export const graphName = z
  .string()
  .min(1)
  .max(500)
  .refine((name) => !name.includes('\0'), 'contains the character NUL')
  .refine((name) => !isInternalName(name), 'begins with _tas, which is kept for the bot');

/** Refuses the bot's own labels and properties in reads that others ask for. */
export function refuseInternalNames(names: readonly string[]): void {
  const internal = names.find(isInternalName);
  if (internal === undefined) return;
  throw new Failure({
    code: 'not-allowed',
    message: `${internal} belongs to the bot's journal and cannot be read or written by a migration or check.`,
    advice: 'Use a label or property of the platform.',
  });
}
