import { stepUpConfig } from '../../src/config/step-up-config.ts';

const whole = {
  issuer: 'https://login.example.com/realms/staff',
  clientId: 'tas-bot',
  clientSecret: 'env:TAS_STEP_UP_SECRET',
  publicUrl: 'https://tas-bot.example.com',
};
const accepted = (over: object): boolean => stepUpConfig.safeParse({ ...whole, ...over }).success;

describe('stepUp in the configuration', () => {
  it('is not there unless somebody asks for it, and asks for little', () => {
    expect(stepUpConfig.parse(undefined)).toBeUndefined();
    expect(stepUpConfig.parse(whole)).toEqual({
      ...whole,
      port: 3001,
      claim: 'slack_user_id',
      for: 'one-way',
      maxAgeSeconds: 300,
    });
  });

  it.each(['issuer', 'publicUrl'])('takes as %s what is safe to send secrets to', (key) => {
    for (const url of ['https://a.example.com/b', 'http://localhost:8080', 'http://127.0.0.1:1', 'http://[::1]:1'])
      expect([url, accepted({ [key]: url })]).toEqual([url, true]);
    for (const url of [
      'http://login.example.com',
      'http://127.0.0.1.evil.com',
      'https://user:word@a.example.com',
      'https://a.example.com/?next=x',
      'https://a.example.com/#x',
      'ftp://a.example.com',
      'a.example.com',
      '',
    ])
      expect([url, accepted({ [key]: url })]).toEqual([url, false]);
  });

  it.each([
    [{ clientSecret: 'a-secret-itself' }],
    [{ for: 'nothing' }],
    [{ maxAgeSeconds: 0 }],
    [{ maxAgeSeconds: 86_400 }],
    [{ port: 70_000 }],
    [{ claim: '' }],
    [{ acr: '' }],
    [{ unknown: 1 }],
  ])('refuses %j', (over) => {
    expect(accepted(over)).toBe(false);
  });
});
