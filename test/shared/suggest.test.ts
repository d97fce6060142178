import { suggest } from '../../src/shared/suggest.ts';

describe('suggest', () => {
  const known = ['migrate', 'rollback', 'restore', 'runs', 'status'];

  it.each([
    ['migrat', 'migrate'],
    ['mirgate', 'migrate'],
    ['roll', 'rollback'],
    ['STATSU', 'status'],
    ['run', 'runs'],
  ])('takes %s for %s', (typed, meant) => {
    expect(suggest(typed, known)).toBe(meant);
  });

  it('says nothing when nothing is near', () => {
    expect(suggest('deploy', known)).toBeNull();
    expect(suggest('', known)).toBeNull();
    expect(suggest('x', known)).toBeNull();
  });
});
