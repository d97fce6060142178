import { readFile } from 'node:fs/promises';

/** Resident memory of a process in MiB: now, and the most it ever had. */
export interface Memory {
  readonly now: number;
  readonly peak: number;
}

/** Asks the kernel (Linux only), which forgets no peak between two looks. */
export async function readMemory(pid: number): Promise<Memory> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8');
  const read = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]) / 1024;
  return { now: read('VmRSS'), peak: read('VmHWM') };
}
