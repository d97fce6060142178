import { join } from 'node:path';
import { createJars } from '../jars.ts';

export const kafkaJars = createJars({
  name: 'kafka',
  what: 'Kafka',
  pom: join(import.meta.dirname, 'pom.xml'),
  fetchMs: 20_000,
  files: 150,
});
