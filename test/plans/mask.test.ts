import fc from 'fast-check';
import { maskConflict, maskSample } from '../../src/plans/mask.ts';
import type { Json } from '../../src/shared/json.ts';
import type { Conflict } from '../../src/systems/system.ts';

const shown = new Set(['User.personal_tenant_id', 'Notebook.email']);
const sample = {
  collection: 'User',
  key: 'u-1',
  before: { personal_tenant_id: null, email: 'a@b.org', phone: null },
  after: { personal_tenant_id: 'tenant_1', email: 'a@b.org', keys: ['k1', 'k2'], quota: 0, active: false },
};

describe('masking', () => {
  it('shows what is on the list, and of everything else only whether it is there', () => {
    expect(maskSample(sample, shown)).toEqual({
      collection: 'User',
      key: 'u-1',
      before: { personal_tenant_id: null, email: '•••', phone: null },
      after: { personal_tenant_id: 'tenant_1', email: '•••', keys: '•••', quota: '•••', active: '•••' },
    });
  });

  it('says of a hidden value that it becomes another, and no more', () => {
    const changing = { ...sample, before: { email: 'a@b.org', n: [1] }, after: { email: 'c@d.org', n: [1] } };
    expect(maskSample(changing, shown)).toMatchObject({
      before: { email: '•••', n: '•••' },
      after: { email: '••• (another)', n: '•••' },
    });
  });

  it('goes by collection and field: a field of another collection is no permission', () => {
    expect(maskSample({ ...sample, collection: 'Notebook' }, shown).after).toMatchObject({
      email: 'a@b.org',
      personal_tenant_id: '•••',
    });
  });

  it('leaves what it was given as it is', () => {
    const copy = structuredClone(sample);
    maskSample(sample, shown);
    expect(sample).toEqual(copy);
  });

  it('shows nothing when nothing is on the list', () => {
    const field = fc.string({ minLength: 1 });
    const value = fc.oneof(fc.string({ minLength: 4 }), fc.integer(), fc.constant(null)) as fc.Arbitrary<Json>;
    fc.assert(
      fc.property(fc.dictionary(field, value), (values) => {
        const { before } = maskSample({ collection: 'C', key: 'k', before: values, after: {} }, new Set());
        expect(Object.keys(before)).toEqual(Object.keys(values));
        for (const [name, masked] of Object.entries(before)) expect(masked).toBe(values[name] === null ? null : '•••');
      }),
    );
  });

  it('masks the three values of a conflict, or none', () => {
    const conflict: Conflict = {
      collection: 'User',
      key: 'u-1',
      field: 'email',
      reason: 'changed-since',
      base: null,
      ours: 'ours@b.org',
      theirs: 'theirs@b.org',
    };
    expect(maskConflict(conflict, shown)).toEqual({ ...conflict, base: null, ours: '•••', theirs: '•••' });
    expect(maskConflict(conflict, new Set(['User.email']))).toEqual(conflict);
  });
});
