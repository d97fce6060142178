/** An approval that its voter has to confirm before it counts. */
export interface Confirmation {
  readonly id: string;
  readonly runId: string;
  readonly digest: string;
  readonly person: { readonly id: string; readonly name: string };
  /** What the voter said with it. */
  readonly reason: string | null;
  /** It is given by break-glass. */
  readonly breaksGlass: boolean;
  readonly state: 'open' | 'proven' | 'counted' | 'refused' | 'replaced';
  readonly expiresAt: Date;
  /** When the login that is under way was begun; null = none was. */
  readonly begunAt: Date | null;
}

export interface NewConfirmation
  extends Pick<Confirmation, 'id' | 'runId' | 'digest' | 'person' | 'reason' | 'breaksGlass' | 'expiresAt'> {
  readonly tokenHash: string;
  readonly askedAt: Date;
}

/** Confirmations in the bot's own database: any replica may go on with what another began. All hashes are SHA-256. */
export interface ConfirmationStore {
  /** Takes the place of the person's open one on the same. */
  add(asked: NewConfirmation): Promise<void>;
  /** Null = there is no such link. */
  find(tokenHash: string): Promise<Confirmation | null>;
  /** Begins a login, in place of one before; null when it is not open, or its time is over. */
  begin(tokenHash: string, login: Login, now: Date): Promise<Confirmation | null>;
  /** Takes the login out, so that its answer works once; null = there is no such login, or another browser began it. */
  claim(login: Login, now: Date): Promise<Confirmation | null>;
  /** Open → proven; false = it is not open any more. */
  prove(id: string, now: Date): Promise<boolean>;
  /** Nothing more can come of it. */
  refuse(id: string): Promise<void>;
}

/** What leads from the provider's answer back to the confirmation, and what only the browser holds that began. */
export interface Login {
  readonly loginHash: string;
  readonly browserHash: string;
}
