// Connecting: a link is on its way up. The first time somebody is waiting, so any failure ends it with its reason; later
// times the machine was connected before, so it goes on trying, or holds still where that would do harm.
import { giveUp, goDown } from './down.ts';
import { askAgain, holdStill, tryAgain } from './reconnect.ts';
import { type Context, type SessionEvent, type State, stay, type Transition } from './state.ts';

type Connecting = Extract<State, { readonly kind: 'connecting' }>;

export function onConnecting(state: Connecting, event: SessionEvent, context: Context): Transition {
  switch (event.kind) {
    case 'step':
      return stay({ ...state, step: event.step });
    case 'up':
      return {
        state: { kind: 'connected', tunnel: event.tunnel, since: context.now, tries: state.tries },
        effects: [
          {
            kind: 'log',
            level: 'info',
            text: `connected to ${event.tunnel.gateway}: ${event.tunnel.interfaceName}, ${event.tunnel.espProposal}, MTU ${event.tunnel.mtu.value}`,
          },
          ...event.tunnel.warnings.map(({ text }) => ({ kind: 'log', level: 'warn', text }) as const),
        ],
      };
    case 'lost':
      if (event.again) return askAgain(event.failure, state.tries, context);
      if (state.tries.retries === 0) return giveUp(event.failure.error, context);
      return event.hold
        ? holdStill(event.failure, state.tries, context)
        : tryAgain(event.failure, state.tries, context);
    case 'stop':
      return goDown(null, context);
    case 'start':
    case 'changed':
    case 'closed':
    case 'retryDue':
      return stay(state);
  }
}
