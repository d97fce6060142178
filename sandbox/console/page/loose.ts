import type { Loose } from '../scene.ts';

/** Blocks come from the app as JSON: what is not there or of another type is drawn as nothing. */
export function isLoose(value: unknown): value is Loose {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

export function listOf(value: unknown): Loose[] {
  return Array.isArray(value) ? value.filter(isLoose) : [];
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
