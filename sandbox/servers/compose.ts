import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../../src/shared/failure.ts';
import type { Task } from './progress.ts';
import { askProgram, runProgram } from './run-program.ts';
import type { Server } from './server.ts';
import { endpointsOf, type SandboxState, storeEndpointsOf } from './state.ts';

const file = join(import.meta.dirname, '../../compose.yaml');
/** Our names of servers → the services of compose.yaml. */
const services = { neo4j: 'neo4j', postgres: 'postgres', botPostgres: 'bot-postgres', minio: 'minio' } as const;

/** True where a Docker engine with Compose answers within a few seconds. */
export async function isDockerThere(): Promise<boolean> {
  const engine = await askProgram('docker', ['info', '--format', '{{.ServerVersion}}'], 4_000);
  return (
    engine !== null && engine.trim() !== '' && (await askProgram('docker', ['compose', 'version'], 4_000)) !== null
  );
}

/** The same servers as containers, on the sandbox's ports and with its passwords. */
export async function composeUp(
  folder: string,
  state: SandboxState,
  wanted: readonly Server[],
  task: Task,
): Promise<SandboxState> {
  await writeFile(environmentFile(folder), composeEnvironment(state), { mode: 0o600 });
  const names = wanted.map(serviceOf);
  task.begin('bringing the containers up; images are fetched the first time', 120_000);
  await compose(folder, state, ['up', '--detach', '--wait', ...names], (line) => task.count(line.trim().slice(0, 60)));
  for (const server of wanted) {
    for (let tries = 0; tries < 300 && (await server.check(endpointsOf(folder, state), true)) !== null; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
  task.done('the containers serve');
  return state;
}

/** Removes the containers, their network and their volumes. */
export async function composeDown(folder: string, state: SandboxState): Promise<void> {
  await writeFile(environmentFile(folder), composeEnvironment(state), { mode: 0o600 });
  await compose(folder, state, ['down', '--volumes', '--remove-orphans']);
}

/** The variables of compose.yaml. */
export function composeEnvironment(state: SandboxState): string {
  const { neo4j, postgres, botPostgres, minio } = storeEndpointsOf(state);
  const values = {
    NEO4J_PORT: state.ports.neo4j,
    NEO4J_PASSWORD: neo4j.password,
    POSTGRES_PORT: postgres.port,
    POSTGRES_PASSWORD: postgres.password,
    BOT_POSTGRES_PORT: botPostgres.port,
    BOT_POSTGRES_PASSWORD: botPostgres.password,
    MINIO_PORT: state.ports.minio,
    MINIO_ACCESS_KEY: minio.accessKey,
    MINIO_SECRET_KEY: minio.secretKey,
  };
  return `${Object.entries(values)
    .map(([name, value]) => `${name}=${value}`)
    .join('\n')}\n`;
}

function environmentFile(folder: string): string {
  return join(folder, 'compose.env');
}

/** Throws `wrong-use` for servers that only local processes can be. */
function serviceOf({ name, title }: Server): string {
  const service = (services as { readonly [server: string]: string })[name];
  if (service !== undefined) return service;
  throw new Failure({
    code: 'wrong-use',
    message: `${title} does not come as a container here.`,
    advice: 'Leave --docker out, or name stores only: --only neo4j,postgres,minio.',
  });
}

async function compose(folder: string, state: SandboxState, args: readonly string[], onLine?: (line: string) => void) {
  const project = ['compose', '--project-name', `tas-sandbox-${state.id}`, '--file', file];
  await runProgram('docker', [...project, '--env-file', environmentFile(folder), ...args], {
    advice: `See what the containers say: docker compose --project-name tas-sandbox-${state.id} logs`,
    ...(onLine === undefined ? {} : { onLine }),
  });
}
