import { isTemplate, parseTemplate, templateSchema } from '../../src/shared/template.ts';

it.each([
  ['{tenant}/files/{name}', 'tenant_1/files/a.txt'],
  ['{tenant}', 'tenant_1'],
  ['{size}-{size}', '7-7'],
  ['all/{path:last}/', 'all/c.txt/'],
  ['{name:last}', 'a.txt'],
])('fills %s', (text, filled) => {
  const values = { tenant: 'tenant_1', name: 'a.txt', size: 7, path: 'a/b/c.txt' };
  expect(parseTemplate(text).fill(values)).toBe(filled);
});

it.each([[null], [undefined], [''], [1.5], [{ a: 1 }], [['a']], [true], [Number.MAX_VALUE]])(
  'has no text for the value %p',
  (value) => {
    expect(parseTemplate('a/{field}').fill({ field: value })).toBeNull();
  },
);

it('has no text where nothing follows the last slash', () => {
  expect(parseTemplate('{path:last}').fill({ path: 'folder/' })).toBeNull();
});

it('names each field once, and tells which value stands alone', () => {
  expect(parseTemplate('{a}/{b}/{a:last}').fields).toEqual(['a', 'b']);
  const alone: boolean[] = [];
  const note = (text: string, isAlone: boolean): string => {
    alone.push(isAlone);
    return text;
  };
  for (const text of ['{a}', '/{a}', '{a}/', '{a:last}']) parseTemplate(text).fill({ a: 'x' }, note);
  expect(alone).toEqual([true, false, false, false]);
});

it('takes values as they are, braces and dollar signs too', () => {
  expect(parseTemplate('{a}{b}').fill({ a: '{b}$&', b: '$1' })).toBe('{b}$&$1');
});

it.each([['plain'], ['{'], ['{}'], ['{a'], ['a}'], ['{a}{'], ['{a:first}'], ['{{a}}']])('refuses %s', (text) => {
  expect(isTemplate(text)).toBe(false);
  expect(templateSchema.safeParse(text).success).toBe(false);
});
