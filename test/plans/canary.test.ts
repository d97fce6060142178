import { fillCanary } from '../../src/plans/canary.ts';

describe('the canary in a predicate', () => {
  it.each([
    ['n.id = $canary', "n.id = 'u-1'"],
    ["n.key STARTS WITH '$canary/' AND n.owner = $canary", "n.key STARTS WITH 'u-1/' AND n.owner = 'u-1'"],
    [
      '{"prefix": "$canary/", "where": {"tag.tenant": "$canary"}}',
      '{"prefix": "u-1/", "where": {"tag.tenant": "u-1"}}',
    ],
    ["name = 'it''s $canary' and id = $canary", "name = 'it''s u-1' and id = 'u-1'"],
    ['n.name = "say \\"$canary\\"" AND n.id = $canary', 'n.name = "say \\"u-1\\"" AND n.id = \'u-1\''],
    [`"it's" = x and id = $canary`, `"it's" = x and id = 'u-1'`],
    ["n.`a ' b` = $canary", "n.`a ' b` = 'u-1'"],
    ['n.id = $canary_id OR n.id = $canary', "n.id = $canary_id OR n.id = 'u-1'"],
  ])('%s becomes %s', (predicate, filled) => {
    expect(fillCanary(predicate, 'u-1')).toBe(filled);
  });
});
