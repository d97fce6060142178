import { z } from 'zod';

const revision = z.string().regex(/^[0-9A-Za-z_]{1,64}$/, 'a revision: letters, digits, underscores, at most 64');
const exact = revision.refine(
  (text) => !['head', 'heads', 'current', 'base'].includes(text),
  'name the revision itself',
);

export const alembicInput = z.strictObject({
  folder: z
    .string()
    .regex(/^\/[^\0]*$/, 'a path from the root')
    .describe("The service's folder in which alembic.ini lies"),
  to: exact.describe('The revision to which it is upgraded'),
  from: z
    .union([z.literal('base'), exact])
    .describe('The revision that must stand there before, and to which undo downgrades; `base` = none yet'),
  python: z
    .string()
    .regex(/^(python3?(\.\d+)?|\/[^\0]*\/python3?(\.\d+)?)$/, '`python3`, or the path of a Python program')
    .default('python3')
    .describe("The Python in which the service's requirements are installed"),
  versionTable: z.string().default('alembic_version').describe('The table in which alembic keeps its revision'),
  urlVariable: z
    .string()
    .regex(/^[A-Z][A-Z0-9_]{1,60}$/)
    .refine((name) => !/^(PATH|HOME|LC_|LD_|PYTHON|PG)/.test(name), 'this variable means something else')
    .default('DATABASE_URL')
    .describe("The environment variable from which the service's env.py takes the database's URL"),
  urlScheme: z
    .string()
    .regex(/^postgres(ql)?(\+[a-z0-9]+)?$/)
    .default('postgresql')
    .describe('How that URL begins, with the driver: `postgresql+psycopg`'),
  timeLimit: z.number().int().min(1).max(86_400).default(600).describe('Seconds after which alembic is ended'),
});

export type AlembicStep = z.infer<typeof alembicInput>;
