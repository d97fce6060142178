import { judgeAction, policySchema } from '../../../src/systems/minio/policy.ts';

const policy = (...statements: object[]) => policySchema.parse({ Version: '2012-10-17', Statement: statements });
const allow = (Action: string | string[], Resource: string[] = ['arn:aws:s3:::*']) => ({
  Effect: 'Allow',
  Action,
  Resource,
});
const conditional = { Condition: { StringEquals: { 'aws:username': 'x' } } };

it.each([
  ['everything is allowed', policy(allow('s3:*')), 'allowed'],
  ['the action is named', policy(allow(['s3:PutObject'], ['arn:aws:s3:::docs/*'])), 'allowed'],
  ['nothing is said', policy(), 'denied'],
  ['another bucket is meant', policy(allow('s3:*', ['arn:aws:s3:::other/*'])), 'denied'],
  ['only the bucket itself is meant', policy(allow('s3:*', ['arn:aws:s3:::docs'])), 'denied'],
  ['a denial stands against it', policy(allow('s3:*'), { ...allow('s3:Put*'), Effect: 'Deny' }), 'denied'],
  ['it hangs on a condition', policy({ ...allow('s3:*'), ...conditional }), 'unknown'],
  [
    'a denial hangs on a condition',
    policy(allow('s3:*'), { ...allow('s3:*'), ...conditional, Effect: 'Deny' }),
    'unknown',
  ],
  [
    'all but others are allowed',
    policy({ Effect: 'Allow', NotAction: 's3:Delete*', Resource: ['arn:aws:s3:::*'] }),
    'allowed',
  ],
  [
    'all but this resource',
    policy({ Effect: 'Allow', Action: 's3:*', NotResource: ['arn:aws:s3:::docs/*'] }),
    'denied',
  ],
  ['dots are no wildcards', policy(allow('s3.PutObject')), 'denied'],
])('where %s', (_, one, verdict) => {
  expect(judgeAction(one, 's3:PutObject', 'docs/any')).toBe(verdict);
});
