import { inspect } from 'node:util';
import { Neo4jError } from 'neo4j-driver';
import { Failure } from '../../../src/shared/failure.ts';
import { asFailure } from '../../../src/systems/neo4j/error.ts';

const place = { name: 'graph', address: 'db.example:7687' };
const driverError = (code: string, message: string) => new Neo4jError(message, code as never, '50N42', '');

describe('errors of the graph', () => {
  it('become failures that name system and place', () => {
    const cases: [string, string, string, boolean][] = [
      ['ServiceUnavailable', 'connect ECONNREFUSED', 'unreachable', true],
      ['SessionExpired', 'gone', 'unreachable', true],
      ['Neo.ClientError.Security.Unauthorized', 'x', 'wrong-password', false],
      ['Neo.ClientError.Security.Forbidden', 'x', 'missing-rights', false],
      ['Neo.ClientError.Statement.AccessMode', 'x', 'invalid-statement', false],
      ['Neo.ClientError.Schema.ConstraintValidationFailed', 'x', 'precondition-failed', false],
      ['Neo.ClientError.Database.DatabaseNotFound', 'x', 'invalid-config', false],
      ['Neo.ClientError.Transaction.TransactionTimedOut', 'x', 'timed-out', true],
      ['Neo.TransientError.Transaction.DeadlockDetected', 'x', 'step-failed', true],
      ['Neo.DatabaseError.General.UnknownError', 'java.io.IOException: No space left on device', 'disk-full', true],
      ['Neo.ClientError.Statement.TypeError', 'x', 'step-failed', false],
    ];
    for (const [code, message, expected, retryable] of cases) {
      const failure = asFailure(driverError(code, message), place) as Failure;
      expect({ code, failure: failure.code, retryable: failure.retryable }).toEqual({
        code,
        failure: expected,
        retryable,
      });
      expect(failure.message).toContain('graph');
      expect(failure.advice).not.toBe('');
    }
    expect(asFailure(Object.assign(new Error('write'), { code: 'ENOSPC' }), place)).toMatchObject({
      code: 'disk-full',
    });
  });

  it('carry no values of records, neither in the text nor in the cause', () => {
    const leaks = [
      driverError(
        'Neo.ClientError.Schema.ConstraintValidationFailed',
        "Node(7) already exists with label `User` and property `email` = 'bob@example.com'",
      ),
      driverError('Neo.ClientError.Statement.TypeError', 'Can\'t coerce `String("bob@example.com")` to Long'),
      driverError('Neo.ClientError.Statement.ArgumentError', 'bob@example.com cannot be parsed to a DateTime'),
      driverError('Neo.DatabaseError.Statement.ExecutionFailed', 'failed for bob@example.com'),
      driverError('ServiceUnavailable', 'bob@example.com'),
    ];
    for (const error of leaks) {
      const failure = asFailure(error, place);
      expect(failure).toBeInstanceOf(Failure);
      expect(inspect(failure, { depth: 9 })).not.toContain('bob@example.com');
    }
    expect(asFailure(leaks[0], place).message).toContain('User(email)');
  });

  it('leave failures and bugs as they are', () => {
    const failure = new Failure({ code: 'fenced', message: 'm', advice: 'a' });
    const bug = new TypeError('x is undefined');
    expect(asFailure(failure, place)).toBe(failure);
    expect(asFailure(bug, place)).toBe(bug);
  });
});
