import { Failure } from '../../src/shared/failure.ts';

/** `demo`: tidy; `messy`: with the platform's irregularities; a number: that many users, for benches. */
export type SeedKind = 'demo' | 'messy' | number;

/** How much of everything there is. */
export interface Shape {
  readonly people: number;
  /** Notebooks of a person: one entry is drawn. */
  readonly notebooks: readonly number[];
  /** Documents of a notebook: one entry is drawn. */
  readonly documents: readonly number[];
  /** Chunks of a processed document: one entry is drawn. 0 = the chunks are left out everywhere. */
  readonly chunks: readonly number[];
  /** How many documents, from the first on, have an object in the bucket. */
  readonly objects: number;
  readonly teams: number;
  readonly messy: boolean;
  /** People that are written to the stores in one transaction each. */
  readonly batch: number;
}

const DEMO: Shape = {
  people: 1200,
  notebooks: [0, 1, 2, 3, 4, 5],
  documents: [0, 1, 2, 3, 4],
  chunks: [1, 1, 2, 2, 3],
  objects: 150,
  teams: 8,
  messy: false,
  batch: 200,
};

/** Throws the failure `wrong-use` for a number that counts no users. */
export function shapeOf(kind: SeedKind): Shape {
  if (kind === 'demo') return DEMO;
  if (kind === 'messy') return { ...DEMO, messy: true };
  if (!Number.isInteger(kind) || kind < 1) {
    throw new Failure({
      code: 'wrong-use',
      message: `A seed cannot have ${kind} users.`,
      advice: 'Ask for demo, messy or a whole number of users from 1 on.',
    });
  }
  return {
    people: kind,
    notebooks: [0, 0, 0, 0, 0, 0, 1, 1, 1, 2],
    documents: [1, 2, 3],
    chunks: [0],
    objects: 200,
    teams: Math.min(100, Math.ceil(kind / 1000)),
    messy: false,
    batch: 1000,
  };
}
