import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { commands } from '../../commands/index.ts';
import { bot, groups, people, team } from '../slack/people.ts';
import type { PlaceEntry, ShortcutEntry } from './scene.ts';

const manifestSchema = z.object({
  features: z.object({
    slash_commands: z.array(z.object({ command: z.string() })).min(1),
    shortcuts: z
      .array(z.object({ name: z.string(), type: z.enum(['global', 'message']), callback_id: z.string() }))
      .default([]),
  }),
});

/** The workspace's people, and what the app's manifest and its commands offer them. */
export async function readPlace(): Promise<PlaceEntry> {
  const text = await readFile(resolve(import.meta.dirname, '../../manifest.yml'), 'utf8');
  const { features } = manifestSchema.parse(parse(text));
  const slash = features.slash_commands[0]?.command ?? '';
  return {
    kind: 'place',
    team: team.name,
    bot: { id: bot.userId, name: bot.name, realName: bot.name },
    people: Object.values(people),
    groups: Object.values(groups),
    commands: commands.map(({ word, usage, summary, examples }) => ({
      line: `${slash} ${word} `,
      shown: `${slash} ${usage}`,
      about: summary,
      examples: examples.map((example) => ({ line: `${slash} ${example}`, shown: `${slash} ${example}`, about: '' })),
    })),
    shortcuts: features.shortcuts.map(
      ({ name, type, callback_id }): ShortcutEntry => ({ name, on: type, callbackId: callback_id }),
    ),
  };
}
