import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parse, stringify } from 'yaml';
import { type Beside, systemsSection } from './bot-systems.ts';
import type { Endpoints } from './servers/endpoints.ts';
import { groups, people } from './slack/people.ts';

/** How the bot reaches the simulated workspace. */
export interface SlackAccess {
  readonly mode: 'http' | 'socket';
  readonly apiUrl: string;
  readonly botToken: string;
  readonly signingSecret: string;
  readonly appToken: string;
  /** Where the bot listens; 0 = a free port. */
  readonly port: number;
}

const secretNames = ['botToken', 'signingSecret', 'appToken'] as const;

/**
 * Writes `tas.yaml` and its secrets (mode 600) into the sandbox's folder, and answers its path. The environment is called
 * `sandbox`, with the stores alone or with everything `beside` them; the key that seals journals is made once and kept, so that a bot started later can still undo.
 */
export async function writeBotConfig(
  folder: string,
  endpoints: Endpoints,
  slack: SlackAccess,
  beside: Beside | null = null,
): Promise<string> {
  const secrets = join(folder, 'secrets');
  await mkdir(secrets, { recursive: true, mode: 0o700 });
  const keep = async (name: string, value: string): Promise<string> => {
    const path = join(secrets, name);
    await writeFile(path, value, { mode: 0o600 });
    return `file:${path}`;
  };
  const keyPath = join(secrets, 'key');
  if (!existsSync(keyPath)) await keep('key', randomBytes(32).toString('base64'));
  const slackSecrets: Record<string, string> = {};
  for (const name of secretNames) slackSecrets[name] = await keep(name, slack[name]);
  const config = {
    bot: {
      database: await keep('bot-database', endpoints.botPostgres.url),
      key: `file:${keyPath}`,
      backups: join(folder, 'backups'),
      packs: [resolve(import.meta.dirname, '../packs/tas')],
      executor: 'sandbox-0',
      logLevel: 'warn',
    },
    slack: { mode: slack.mode, ...slackSecrets, port: slack.port, apiUrl: slack.apiUrl },
    people: peopleSection(),
    environments: { sandbox: await environmentSection(endpoints, keep, beside) },
    maintenance: { sandbox: { channels: ['general'], zone: 'Europe/Berlin' } },
  };
  const path = join(folder, 'tas.yaml');
  await writeFile(path, stringify(config), { mode: 0o600 });
  return path;
}

function peopleSection(): object {
  const user = (name: keyof typeof people): string => people[name].id;
  return {
    viewers: { users: [user('carol')], group: groups.viewers.id },
    operators: { users: [user('alice'), user('erin')], group: groups.operators.id },
    approvers: { users: [user('bob'), user('dana')], group: groups.approvers.id },
    terminal: Object.values(people).map(({ id, name }) => ({ user: id, name })),
    trustNames: true,
  };
}

/** The pack's example, with the sandbox's stores in the place of the cluster's. */
async function environmentSection(
  endpoints: Endpoints,
  keep: (name: string, value: string) => Promise<string>,
  beside: Beside | null,
): Promise<object> {
  const example = parse(
    await readFile(resolve(import.meta.dirname, '../packs/tas/environment.example.yaml'), 'utf8'),
  ) as {
    staging: Record<string, unknown>;
  };
  return { ...example.staging, systems: await systemsSection(endpoints, keep, beside) };
}
