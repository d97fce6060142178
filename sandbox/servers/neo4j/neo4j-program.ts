import { join } from 'node:path';
import { createJars } from '../jars.ts';

/** Neo4j and APOC. */
export const neo4jJars = createJars({
  name: 'neo4j',
  what: 'Neo4j and APOC',
  pom: join(import.meta.dirname, 'pom.xml'),
  fetchMs: 80_000,
  files: 900,
});
