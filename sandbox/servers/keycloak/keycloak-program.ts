import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createJars } from '../jars.ts';
import { runProgram } from '../run-program.ts';

/** Keycloak's distribution, built for PostgreSQL with health and metrics: that takes long, and is done once. */
export const keycloakProgram = createJars({
  name: 'keycloak',
  what: 'Keycloak',
  pom: join(import.meta.dirname, 'pom.xml'),
  fetchMs: 60_000,
  files: 10,
  unpack: true,
  async finish(folder, java, task) {
    task.begin('building Keycloak for PostgreSQL, once for this user', 45_000);
    const home = await homeIn(folder);
    await runProgram(java, [...quickly, ...javaOptions(home), mainClass, 'build', ...choices], { cwd: home });
  },
});

const choices = ['--db=postgres', '--health-enabled=true', '--metrics-enabled=true'];
const mainClass = 'io.quarkus.bootstrap.runner.QuarkusEntryPoint';
const packages = ['util', 'util.concurrent', 'security', 'lang'];
/** Starts sooner and takes less memory than with all that the JVM can do. */
export const quickly = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC'];

/** The distribution's folder, which has the version in its name. */
export async function homeIn(folder: string): Promise<string> {
  const [name = ''] = (await readdir(folder)).filter((found) => found.startsWith('keycloak-'));
  return join(folder, name);
}

/** What the JVM needs for Keycloak, up to the main class. */
export function javaOptions(home: string): string[] {
  return [
    `-Dkc.home.dir=${home}`,
    '-Djava.util.concurrent.ForkJoinPool.common.threadFactory=io.quarkus.bootstrap.forkjoin.QuarkusForkJoinWorkerThreadFactory',
    '-Dfile.encoding=UTF-8',
    '-Djava.net.preferIPv4Stack=true',
    ...packages.map((name) => `--add-opens=java.base/java.${name}=ALL-UNNAMED`),
    '-cp',
    join(home, 'lib/quarkus-run.jar'),
  ];
}

/** The command line that starts the server with this configuration. */
export function startArguments(home: string, conf: string): string[] {
  return [...javaOptions(home), mainClass, `--config-file=${conf}`, 'start', '--optimized'];
}
