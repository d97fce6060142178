/** As configured. */
export interface StepUpSettings {
  readonly issuer: string;
  readonly clientId: string;
  readonly publicUrl: string;
  readonly port: number;
  /** Holds the Slack user id. */
  readonly claim: string;
  readonly for: 'one-way' | 'destroys' | 'changes';
  readonly maxAgeSeconds: number;
  readonly acr?: string | undefined;
}

/** Where a path of ours is reached: the public address may have a path of its own. */
export function publicAddress({ publicUrl }: Pick<StepUpSettings, 'publicUrl'>, path: string): URL {
  return new URL(`${publicUrl.replace(/\/+$/, '')}/step-up/${path}`);
}
