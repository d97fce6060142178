import { createContext, useContext } from 'react';
import type { Loose } from '../scene.ts';
import type { ActAnswer } from './ask.ts';

export type Choice = string | readonly string[];

export interface ElementAddress {
  readonly blockId: string;
  readonly actionId: string;
}

/** What elements of a message or view work with. The tests of drawing hand in one that does nothing. */
export interface Surface {
  /** What was put into the element; undefined = nothing yet, its initial value counts. */
  chosen(at: ElementAddress, element: Loose): Choice | undefined;
  /** A click, after its confirm dialog. */
  press(at: ElementAddress, element: Loose): void;
  /** Keeps a choice until the next click or submission. */
  put(at: ElementAddress, element: Loose, choice: Choice): void;
  /** A choice of which the app hears at once. */
  choose(at: ElementAddress, element: Loose, choice: Choice): void;
  suggest(at: ElementAddress, typed: string): Promise<ActAnswer>;
  /** Of an input: what is wrong with it; null = nothing. */
  errorOf(blockId: string): string | null;
}

export const silentSurface: Surface = {
  chosen: () => undefined,
  press: () => undefined,
  put: () => undefined,
  choose: () => undefined,
  suggest: async () => ({ complaint: null }),
  errorOf: () => null,
};

const SurfaceContext = createContext<Surface>(silentSurface);
export const SurfaceProvider = SurfaceContext.Provider;

export function useSurface(): Surface {
  return useContext(SurfaceContext);
}
