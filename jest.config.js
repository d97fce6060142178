const shared = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts', '.tsx'],
  transform: { '^.+\\.tsx?$': '<rootDir>/jest-esbuild.cjs' },
  setupFilesAfterEnv: ['<rootDir>/test/patience.ts'],
};

/** Brings real stores up for the tests, or has them skipped visibly where that cannot be done. */
const live = {
  ...shared,
  globalSetup: '<rootDir>/test/live-setup.ts',
  globalTeardown: '<rootDir>/test/live-teardown.ts',
  setupFilesAfterEnv: [...shared.setupFilesAfterEnv, '<rootDir>/test/live-retry.ts', '<rootDir>/test/live-skip.ts'],
};

/** Three kinds of test: `unit` needs no network, `live` needs real stores, `journeys` are whole stories on them. */
export default {
  projects: [
    {
      ...shared,
      displayName: 'unit',
      testMatch: ['<rootDir>/test/**/!(*.live).test.ts'],
      testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/journeys/'],
    },
    {
      ...live,
      displayName: 'live',
      testMatch: ['<rootDir>/test/**/*.live.test.ts'],
      testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/journeys/'],
    },
    { ...live, displayName: 'journeys', testMatch: ['<rootDir>/test/journeys/**/*.test.ts'] },
  ],
};
