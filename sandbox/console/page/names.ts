import { createContext, useContext } from 'react';
import type { ChannelEntry, PersonEntry, PlaceEntry } from '../scene.ts';

/** Who and what ids stand for, and for whom the page is drawn. */
export interface Names {
  readonly me: PersonEntry | null;
  readonly place: PlaceEntry | null;
  readonly channels: readonly ChannelEntry[];
}

const NamesContext = createContext<Names>({ me: null, place: null, channels: [] });
export const NamesProvider = NamesContext.Provider;

export function useNames(): Names {
  return useContext(NamesContext);
}

const slackbot: PersonEntry = { id: 'USLACKBOT', name: 'Slackbot', realName: 'Slackbot' };

/** Null when nobody has the id. */
export function personOf({ place }: Names, id: string): PersonEntry | null {
  const everybody = [...(place ? [...place.people, place.bot] : []), slackbot];
  return everybody.find((person) => person.id === id) ?? null;
}
