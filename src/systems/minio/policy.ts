import { z } from 'zod';

const texts = z.union([z.string(), z.array(z.string())]).transform((value) => [value].flat());

/** One statement of a policy as MinIO tells it. Conditions are not weighed here. */
const statementSchema = z.object({
  Effect: z.enum(['Allow', 'Deny']),
  Action: texts.optional(),
  NotAction: texts.optional(),
  Resource: texts.optional(),
  NotResource: texts.optional(),
  Condition: z.record(z.string(), z.unknown()).optional(),
});

export const policySchema = z.object({ Statement: z.array(statementSchema) });
export type Policy = z.infer<typeof policySchema>;
type Statement = Policy['Statement'][number];

/** `unknown` = it hangs on a condition that only the server can judge. */
export type Verdict = 'allowed' | 'denied' | 'unknown';

/** Whether a policy allows an action on a resource (`bucket` or `bucket/key`): a denial wins over everything. */
export function judgeAction(policy: Policy, action: string, resource: string): Verdict {
  const meant = policy.Statement.filter((statement) => covers(statement, action, `arn:aws:s3:::${resource}`));
  const denials = meant.filter(({ Effect }) => Effect === 'Deny');
  if (denials.some(isPlain)) return 'denied';
  const allowances = meant.filter(({ Effect }) => Effect === 'Allow');
  if (allowances.length === 0) return 'denied';
  return denials.length === 0 && allowances.some(isPlain) ? 'allowed' : 'unknown';
}

function covers({ Action, NotAction, Resource, NotResource }: Statement, action: string, resource: string): boolean {
  const actions = Action ? matchesAny(Action, action) : NotAction ? !matchesAny(NotAction, action) : false;
  if (!actions) return false;
  if (NotResource) return !matchesAny(NotResource, resource);
  // Statements on the server itself name no resource.
  return Resource === undefined || Resource.length === 0 || matchesAny(Resource, resource);
}

function isPlain({ Condition }: Statement): boolean {
  return Condition === undefined || Object.keys(Condition).length === 0;
}

/** `*` and `?` as policies mean them. */
function matchesAny(patterns: readonly string[], text: string): boolean {
  return patterns.some((pattern) => {
    const regex = pattern
      .replace(/[\\^$.+()[\]{}|]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.');
    return new RegExp(`^${regex}$`, 's').test(text);
  });
}
