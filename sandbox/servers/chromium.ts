import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { askProgram } from './run-program.ts';
import { cacheFolder } from './state.ts';

const installed = [
  'chromium',
  'chromium-browser',
  'google-chrome',
  'chromium-headless-shell',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** Where Debian's packages of Chromium are unpacked, fonts and libraries that this machine lacks included. */
export function chromiumFolder(): string {
  return join(cacheFolder(), `chromium-${process.arch}`);
}

/** The machine's own Chromium, or the one of the packages that were unpacked; null where neither is there. */
export async function findChromium(): Promise<string | null> {
  for (const command of installed) {
    const path = command.startsWith('/') ? command : (await askProgram('sh', ['-c', `command -v ${command}`]))?.trim();
    if (path && (await askProgram(path, ['--version'])) !== null) return path;
  }
  const own = join(chromiumFolder(), 'usr/lib/chromium/chromium-headless-shell');
  if (!existsSync(own)) return null;
  const settings = Object.entries(await chromiumEnvironment(own)).map(([name, value]) => `${name}=${value}`);
  return (await askProgram('env', [...settings, own, '--version'])) === null ? null : own;
}

/** What an unpacked Chromium needs in its environment to find its libraries and fonts; nothing for an installed one. */
export async function chromiumEnvironment(command: string): Promise<Record<string, string>> {
  const folder = chromiumFolder();
  if (!command.startsWith(folder)) return {};
  const names = await readdir(join(folder, 'usr/lib'));
  const libraries = names
    .filter((name) => name.endsWith('-linux-gnu'))
    .map((name) => join(folder, 'usr/lib', name))
    .flatMap((path) => [path, join(path, 'pulseaudio')]);
  const fonts = join(folder, 'etc/fonts');
  return {
    LD_LIBRARY_PATH: [...libraries, process.env.LD_LIBRARY_PATH ?? ''].filter((path) => path !== '').join(':'),
    XDG_DATA_HOME: join(folder, 'usr/share'),
    ...(existsSync(fonts) ? { FONTCONFIG_PATH: fonts } : {}),
  };
}
