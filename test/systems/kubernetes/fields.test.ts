import { annotationPath, differing, patchTo, readField } from '../../../src/systems/kubernetes/fields.ts';
import { manifestSchema } from '../../../src/systems/kubernetes/manifest.ts';

const manifest = manifestSchema.parse({
  metadata: { name: 'web', annotations: { 'a/b~c': 'x' } },
  spec: { replicas: 2, containers: [{ name: 'one', image: 'one:1' }, { name: 'two' }], toString: 'own' },
});

it('reads fields by path: names with slashes, elements of lists by their name, and null for what is absent', () => {
  expect(readField(manifest, '/spec/replicas')).toBe(2);
  expect(readField(manifest, annotationPath('a/b~c'))).toBe('x');
  expect(readField(manifest, '/spec/containers/name=one/image')).toBe('one:1');
  expect(readField(manifest, '/spec/containers/name=two/image')).toBeNull();
  expect(readField(manifest, '/spec/containers/name=three/image')).toBeNull();
  expect(readField(manifest, '/spec/replicas/deeper')).toBeNull();
  expect(readField(manifest, '/constructor')).toBeNull();
  expect(readField(manifest, '/metadata/annotations/toString')).toBeNull();
});

it('changes only what differs, and makes what is missing above a field once', () => {
  expect(differing(manifest, { '/spec/replicas': 2, '/spec/paused': null })).toEqual([]);
  expect(patchTo(manifest, { '/spec/replicas': 2 })).toEqual([]);
  expect(
    patchTo(manifest, {
      '/spec/replicas': 0,
      '/spec/containers/name=two/image': 'two:2',
      [annotationPath('a/b~c')]: null,
      '/spec/behavior/scaleUp/selectPolicy': 'Disabled',
      '/spec/behavior/scaleDown/selectPolicy': 'Disabled',
    }),
  ).toEqual([
    { op: 'add', path: '/spec/replicas', value: 0 },
    { op: 'add', path: '/spec/containers/1/image', value: 'two:2' },
    { op: 'remove', path: '/metadata/annotations/a~1b~0c' },
    { op: 'add', path: '/spec/behavior', value: {} },
    { op: 'add', path: '/spec/behavior/scaleUp', value: {} },
    { op: 'add', path: '/spec/behavior/scaleUp/selectPolicy', value: 'Disabled' },
    { op: 'add', path: '/spec/behavior/scaleDown', value: {} },
    { op: 'add', path: '/spec/behavior/scaleDown/selectPolicy', value: 'Disabled' },
  ]);
});
