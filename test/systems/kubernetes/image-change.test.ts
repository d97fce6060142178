import { judgeImage } from '../../../src/systems/kubernetes/image-change.ts';
import type { Workload } from '../../../src/systems/kubernetes/workload.ts';

const workload = (kind: 'Deployment' | 'StatefulSet') =>
  ({ kind, namespace: 'tas-shared', name: 'postgres', uid: 'u1', spec: {} }) as unknown as Workload;
const judge = (before: string, after: string, kind: 'Deployment' | 'StatefulSet' = 'StatefulSet') =>
  judgeImage(workload(kind), 'db', before, after).map(({ check, status }) => `${check} ${status}`);

describe('the image of a database', () => {
  it.each([
    ['postgres:15.4', 'postgres:16.1'],
    ['registry:5000/team/postgres:15-alpine', 'postgres:17@sha256:ab'],
    ['bitnami/postgresql:16.2.0', 'bitnami/postgresql:15.9.0'],
    ['postgres:15', 'postgres:latest'],
    ['postgres:15', 'postgres@sha256:ab'],
    ['postgis/postgis:15-3.4', 'postgis/postgis:16-3.4'],
  ])('is refused from %s to %s: the new server would not read the files', (before, after) => {
    expect(judge(before, after)).toEqual(['database-major failed']);
    expect(judge(before, after, 'Deployment')).toEqual(['database-major failed']);
  });

  it.each([
    ['postgres:15.4', 'postgres:15.6'],
    ['registry:5000/postgres:15', 'other/postgres:15.2-alpine'],
    ['redis:7.2', 'redis:8.0'],
    ['neo4j:5.20', 'neo4j:5.26'],
    ['tas/aether-backend:v1.4.0', 'tas/aether-backend:v2.0.0'],
  ])('may go from %s to %s', (before, after) => {
    expect(judge(before, after)).toEqual([]);
  });

  it('is warned of when it goes back to a lower version of what stores data', () => {
    expect(judge('neo4j:5.26', 'neo4j:5.20')).toEqual(['version-lower warning']);
    expect(judge('redis:7.10.1', 'redis:7.9')).toEqual(['version-lower warning']);
    expect(judge('tas/backend:v2.0.0', 'tas/backend:v1.9.0', 'Deployment')).toEqual([]);
  });
});
