import { readFile } from 'node:fs/promises';
import { Failure } from '../shared/failure.ts';
import { Secret } from '../shared/secret.ts';
import { readYamlFile } from '../shared/yaml-file.ts';
import { type Config, configSchema, type RevealSecret } from './config.ts';

/** Reads the configuration that TAS_CONFIG names. Throws `invalid-config` with place and remedy. */
export async function loadConfig(path = process.env.TAS_CONFIG): Promise<Config> {
  if (!path) {
    throw new Failure({
      code: 'invalid-config',
      message: 'TAS_CONFIG does not name a configuration file.',
      advice: 'Set TAS_CONFIG to the path of tas.yaml; docs/configuration.md shows one.',
    });
  }
  const config = await readYamlFile(path, configSchema).catch((error: unknown) => {
    if (!(error instanceof Failure)) throw error;
    throw new Failure({
      code: 'invalid-config',
      message: error.message,
      advice: 'Correct it and start again.',
      cause: error,
    });
  });
  refuseTrustInProduction(config);
  refuseMissingSlackSecrets(config);
  refuseManagedProvider(config);
  return config;
}

/** Reads secrets by reference: `env:NAME` or `file:/path`. All of them are read at once, at the start. */
export async function loadSecrets(config: Config): Promise<RevealSecret> {
  const references = new Set<string>();
  JSON.stringify(config, (_key, value: unknown) => {
    if (typeof value === 'string' && /^(env|file):/.test(value)) references.add(value);
    return value;
  });
  const secrets = new Map<string, Secret>();
  for (const reference of references) secrets.set(reference, await readSecret(reference));
  return (reference) => {
    const secret = secrets.get(reference);
    if (secret) return secret;
    throw new Error('a secret was asked for that the configuration does not name');
  };
}

/** The personal token of a terminal's user. */
export function terminalToken(): string | null {
  return process.env.TAS_TOKEN ?? null;
}

/** A secret as it is now, by reference. Throws `invalid-config` when it is missing. */
export async function readSecret(reference: string): Promise<Secret> {
  const place = reference.slice(reference.indexOf(':') + 1);
  const value = reference.startsWith('env:')
    ? process.env[place]
    : await readFile(place, 'utf8').catch(() => undefined);
  if (value !== undefined && value.trim() !== '') return new Secret(value.trim());
  const what = reference.startsWith('env:') ? `the environment variable ${place}` : `the file ${place}`;
  throw new Failure({
    code: 'invalid-config',
    message: `The configuration names ${what} as a secret, and it is missing or empty.`,
    advice: 'Provide it and start again. Nothing was changed.',
  });
}

function refuseTrustInProduction(config: Config): void {
  const production = Object.entries(config.environments).find(([, environment]) => environment.production);
  if (!config.people.trustNames || !production) return;
  throw new Failure({
    code: 'invalid-config',
    message: `people.trustNames lets anybody act as anybody, and ${production[0]} is a production environment.`,
    advice: 'Give every person a token (tokenSha256) and remove trustNames.',
  });
}

function refuseMissingSlackSecrets(config: Config): void {
  const { mode, signingSecret, appToken } = config.slack;
  if (mode === 'http' ? signingSecret : appToken) return;
  throw new Failure({
    code: 'invalid-config',
    message: `Slack mode ${mode} needs slack.${mode === 'http' ? 'signingSecret' : 'appToken'}.`,
    advice: 'docs/slack-setup.md tells where to find it.',
  });
}

/** A provider that the bot stops, changes and restores cannot vouch for those who approve that. */
function refuseManagedProvider({ stepUp, environments }: Config): void {
  if (stepUp === undefined) return;
  for (const [name, environment] of Object.entries(environments)) {
    for (const [systemName, system] of Object.entries(environment.systems)) {
      if (system.type !== 'keycloak' || new URL(system.url).host !== new URL(stepUp.issuer).host) continue;
      throw new Failure({
        code: 'invalid-config',
        message: `stepUp.issuer is on the server that ${name}/${systemName} manages.`,
        advice: 'Let an identity provider outside of the environments confirm approvals.',
      });
    }
  }
}
