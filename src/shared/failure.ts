/** Every way in which the bot can fail that an operator can act on. Anything else that is thrown is a bug. */
export type FailureCode =
  | 'unknown-command'
  | 'unknown-environment'
  | 'unknown-migration'
  | 'unknown-run'
  | 'unknown-backup'
  | 'wrong-use'
  | 'not-allowed'
  | 'not-confirmed'
  | 'invalid-file'
  | 'invalid-config'
  | 'invalid-statement'
  | 'unreachable'
  | 'wrong-password'
  | 'missing-rights'
  | 'disk-full'
  | 'environment-busy'
  | 'stale'
  | 'expired'
  | 'plan-changed'
  | 'content-changed'
  | 'precondition-failed'
  | 'over-cap'
  | 'fenced'
  | 'conflict'
  | 'corrupt-backup'
  | 'same-server'
  | 'cancelled'
  | 'timed-out'
  | 'step-failed';

/** What is said of a failure. All of it is safe to show: no secrets, no personal data. */
export interface FailureReport {
  readonly code: FailureCode;
  /** What happened, in one sentence. */
  readonly message: string;
  /** What is safe and what to do now. */
  readonly advice: string;
  /** True where the same call may succeed later without any change. */
  readonly retryable: boolean;
}

/** Something an operator can act on. `cause` is for the log only and is never shown. */
export class Failure extends Error implements FailureReport {
  readonly code: FailureCode;
  readonly advice: string;
  readonly retryable: boolean;

  constructor(report: { code: FailureCode; message: string; advice: string; retryable?: boolean; cause?: unknown }) {
    super(report.message, { cause: report.cause });
    this.name = 'Failure';
    this.code = report.code;
    this.advice = report.advice;
    this.retryable = report.retryable ?? false;
  }

  report(): FailureReport {
    return { code: this.code, message: this.message, advice: this.advice, retryable: this.retryable };
  }
}
