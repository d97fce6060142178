import { scrubLine } from '../../../src/systems/kubernetes/scrub.ts';

it('takes out what looks like a secret or an address and leaves the rest readable', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['cannot connect to postgres://tasuser:hunter2@db:5432/tas', 'cannot connect to postgres://[secret]@db:5432/tas'],
    ['DB_PASSWORD=hunter2 PORT=5432', 'DB_PASSWORD=[secret] PORT=5432'],
    ['{"apiKey": "abc def", "level": "error"}', '{"apiKey": [secret], "level": "error"}'],
    ['Authorization: Bearer abcdef123456', 'Authorization: [secret] [secret]'],
    ['jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-_1 refused', 'jwt [token] refused'],
    ['no user ada.lovelace@example.org', 'no user [address]'],
    ['\u001b[31mFAIL\u001b[0m 3 of 12 tests', 'FAIL  3 of 12 tests'],
    ['digest d41d8cd98f00b204e9800998ecf8427e', 'digest [hex]'],
    ['12 passed, 0 failed in 3.1 s', '12 passed, 0 failed in 3.1 s'],
  ];
  for (const [line, plain] of cases) expect(scrubLine(line)).toBe(plain);
  expect(scrubLine('x '.repeat(500))).toHaveLength(200);
});
