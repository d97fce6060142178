import { jest } from '@jest/globals';

// Test machines are shared and slow at times: five seconds, jest's own limit, then fail what is right.
jest.setTimeout(90_000);
