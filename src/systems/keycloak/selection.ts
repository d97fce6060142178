import { z } from 'zod';
import { Failure } from '../../shared/failure.ts';
import { fieldOf, type User, userFields } from './users.ts';

const pattern = z.string().refine(isRegex, 'is no regular expression');
const field = z
  .string()
  .refine((name) => userFields.includes(name) || name.startsWith('attribute.'), 'is no field of a user');

/** Which users: by regular expressions over the whole of fields. Null = the field must be absent. */
const conditions = z.record(field, pattern.nullable());
const ruleSchema = z.strictObject({ where: conditions.default({}), must: conditions });

export type Conditions = z.infer<typeof conditions>;
export type Rule = z.infer<typeof ruleSchema>;

/** Reads the `where` of a scan; throws `invalid-statement`. */
export const parseConditions = (text: string): Conditions => parse(text, conditions);
/** Reads a check's statement; throws `invalid-statement`. */
export const parseRule = (text: string): Rule => parse(text, ruleSchema);

/** The fields that do not fit. */
export function misfits(user: User, wanted: Conditions): string[] {
  return Object.entries(wanted).flatMap(([name, expression]) => (holds(user, name, expression) ? [] : [name]));
}

function holds(user: User, name: string, expression: string | null): boolean {
  const value = fieldOf(user, name);
  if (expression === null || value === null) return value === expression;
  const whole = new RegExp(`^(?:${expression})$`, 'u');
  return Array.isArray(value) ? value.some((item) => whole.test(String(item))) : whole.test(String(value));
}

function parse<T>(text: string, schema: z.ZodType<T>): T {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    throw invalid('it is not JSON');
  }
  const parsed = schema.safeParse(content);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw invalid(`${issue?.path.join('.') || 'it'} ${issue?.message ?? 'does not fit'}`);
}

function invalid(why: string): Failure {
  return new Failure({
    code: 'invalid-statement',
    message: `This statement about users cannot be read: ${why}.`,
    advice:
      'Write JSON such as {"where": {"enabled": "true"}, "must": {"email": ".+@.+"}}; see the README of keycloak.',
  });
}

function isRegex(text: string): boolean {
  try {
    new RegExp(text, 'u');
    return true;
  } catch {
    return false;
  }
}
