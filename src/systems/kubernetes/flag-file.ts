import { z } from 'zod';
import type { Json, JsonObject } from '../../shared/json.ts';

const flagSchema = z
  .object({
    state: z.enum(['ENABLED', 'DISABLED']),
    variants: z.record(z.string(), z.json()).refine((variants) => Object.keys(variants).length > 0, 'no variants'),
    defaultVariant: z.string().nullish(),
    targeting: z.record(z.string(), z.json()).optional(),
  })
  .catchall(z.json())
  .refine(
    ({ variants, defaultVariant }) => defaultVariant == null || Object.hasOwn(variants, defaultVariant),
    'defaultVariant is none of its variants',
  );
const fileSchema = z.object({ flags: z.record(z.string(), flagSchema) }).catchall(z.json());

/** One feature flag in flagd's format. */
export type Flag = z.infer<typeof flagSchema>;
export type Flags = { readonly [name: string]: Flag };

/** The flags of a file in flagd's format, or where it is none: `flags.new-view.state`; values are never quoted. */
export function readFlags(text: string): { readonly flags: Flags } | { readonly wrong: string } {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return { wrong: 'it is not JSON' };
  }
  const known = fileSchema.safeParse(parsed);
  if (known.success) return { flags: known.data.flags };
  const [issue] = known.error.issues;
  const place = issue?.path.join('.') ?? '';
  return { wrong: `${place === '' ? 'the file' : place}: ${issue?.message ?? 'wrong'}` };
}

/** What a step asks of a flag; exactly one of the first four. */
export interface FlagWish {
  readonly state?: 'on' | 'off' | undefined;
  readonly defaultVariant?: string | undefined;
  /** Of all values of `by`; 0 to 100. */
  readonly percentage?: number | undefined;
  readonly tenants?: readonly string[] | undefined;
  readonly variant: string;
  readonly otherwise: string;
  /** The field of the evaluation context that says who asks. */
  readonly by: string;
}

/** The properties of a flag that a step owns. */
export type FlagProperties = { readonly state: Json; readonly defaultVariant: Json; readonly targeting: Json };

export function propertiesOf({ state, defaultVariant, targeting }: Flag): FlagProperties {
  return { state, defaultVariant: defaultVariant ?? null, targeting: targeting ?? null };
}

/** The flag's properties after the step. All of it is one thing: state, default and targeting go together. */
export function wishedProperties(flag: Flag, wish: FlagWish): FlagProperties {
  const { variant, otherwise, by } = wish;
  const now = propertiesOf(flag);
  const state = 'ENABLED';
  if (wish.state !== undefined) {
    return { state, defaultVariant: wish.state === 'on' ? variant : otherwise, targeting: null };
  }
  if (wish.defaultVariant !== undefined) return { ...now, state, defaultVariant: wish.defaultVariant };
  const who = { var: by };
  if (wish.tenants !== undefined) {
    const targeting: JsonObject = { if: [{ in: [who, [...wish.tenants]] }, variant, otherwise] };
    return { state, defaultVariant: otherwise, targeting };
  }
  const share = wish.percentage ?? 0;
  const parts = [
    [variant, share],
    [otherwise, 100 - share],
  ];
  // The same tenant always falls on the same side; of two flags not on the same. Whoever has no tenant gets `otherwise`.
  const fractional = { fractional: [{ cat: [{ var: '$flagd.flagKey' }, who] }, ...parts] };
  return { state, defaultVariant: otherwise, targeting: { if: [who, fractional, otherwise] } };
}

/** Variants that the wish names and the flag does not have. */
export function missingVariants(flag: Flag, wish: FlagWish): readonly string[] {
  const named =
    wish.defaultVariant !== undefined
      ? [wish.defaultVariant]
      : wish.state === 'on'
        ? [wish.variant]
        : wish.state === 'off'
          ? [wish.otherwise]
          : [wish.variant, wish.otherwise];
  return named.filter((name) => !Object.hasOwn(flag.variants, name));
}
