const shared = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': '<rootDir>/jest-esbuild.cjs' },
};

/** Three kinds of test: `unit` needs no network, `live` needs real stores, `journeys` are whole stories on them. */
export default {
  projects: [
    { ...shared, displayName: 'unit', testMatch: ['<rootDir>/test/**/!(*.live).test.ts'], testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/journeys/'] },
    { ...shared, displayName: 'live', testMatch: ['<rootDir>/test/**/*.live.test.ts'], testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/journeys/'] },
    { ...shared, displayName: 'journeys', testMatch: ['<rootDir>/test/journeys/**/*.test.ts'] },
  ],
};
