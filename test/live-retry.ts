import { jest } from '@jest/globals';

// Real servers on a shared machine may once be too slow for a limit. The first failure is printed; what fails twice fails.
jest.retryTimes(1, { logErrorsBeforeRetry: true });
