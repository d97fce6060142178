import type { ObjectEntry } from '../../../src/systems/minio/objects.ts';
import { brokenFields, fill, parseRule, parseSelection, select } from '../../../src/systems/minio/selection.ts';
import { decodeUrl, decodeXml, encodeXml } from '../../../src/systems/minio/xml.ts';

const entry: ObjectEntry = {
  key: 'tenant_1.5/a+b.txt',
  versionId: 'v1',
  etag: 'e',
  size: 12,
  lastModified: '2026-11-22T00:00:00.000Z',
  metadata: { 'content-type': 'text/plain', 'x-amz-meta-origin': 'upload' },
  tags: { tenant: 'tenant_1.5' },
};

it('compares caught text as plain text, not as an expression', () => {
  const rule = parseRule('{"match": "^([^/]+)/", "must": {"tag.tenant": "$1"}}');
  expect(brokenFields(rule, entry)).toEqual([]);
  expect(brokenFields(rule, { ...entry, tags: { tenant: 'tenant_1x5' } })).toEqual(['tag.tenant']);
});

it('matches whole values, and absent fields only by null', () => {
  expect(brokenFields(parseRule('{"must": {"size": "1", "tag.other": null, "tag.tenant": null}}'), entry)).toEqual([
    'size',
    'tag.tenant',
  ]);
  expect(
    select(parseSelection('{"where": {"meta.origin": "up.*", "content_type": "text/plain"}}'), entry),
  ).not.toBeNull();
  expect(select(parseSelection('{"where": {"tag.other": ".*"}}'), entry)).toBeNull();
});

it.each([['no json'], ['[]'], ['{"must": {"key": "("}}'], ['{"match": "("}'], ['{"key": "a"}'], ['{}']])(
  'refuses %s as a rule',
  (text) => {
    expect(() => parseRule(text)).toThrow(expect.objectContaining({ code: 'invalid-statement' }));
  },
);

it('fills groups, missing ones with nothing, and keeps doubled dollar signs', () => {
  expect(fill('$1-$2-$$1', ['whole', 'a'])).toBe('a--$1');
});

it('reads keys and texts as the server writes them', () => {
  expect(decodeUrl('a+b%2B%C3%BC')).toBe('a b+ü');
  expect(decodeXml('&#34;&lt;a&gt;&amp;amp;&#x1F600;')).toBe('"<a>&amp;\u{1F600}');
  expect(decodeXml(encodeXml('<a b="c">&\'</a>'))).toBe('<a b="c">&\'</a>');
});
