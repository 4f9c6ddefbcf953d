// The state, large, with what to do about it.
import type { ReactNode } from 'react';
import { Button } from '../../components/button.tsx';
import { Icon, type IconName } from '../../components/icon.tsx';
import { Notice } from '../../components/page.tsx';
import { Problem } from '../../components/problem.tsx';
import { useI18n } from '../../i18n/context.tsx';
import { goTo } from '../../router.ts';
import { useEngine, useModel } from '../../store/context.tsx';
import { currentProfile, type Model } from '../../store/model.ts';
import { Carries } from './carries.tsx';
import { type Face, TONES } from './face.ts';
import { useNow } from './now.ts';
import { ProfilePicker } from './profile-picker.tsx';
import { Steps } from './steps.tsx';

const ICONS: Readonly<Record<Face['kind'], IconName>> = {
  starting: 'refresh',
  unreachable: 'unplugged',
  refused: 'lock',
  disconnected: 'power',
  connecting: 'refresh',
  connected: 'shield',
  reconnecting: 'refresh',
  blocked: 'lock',
  disconnecting: 'refresh',
  failed: 'bad',
};

/** Something is under way: the mark turns, where motion is welcome. */
const MOVING: ReadonlySet<Face['kind']> = new Set(['starting', 'connecting', 'disconnecting']);

export function StateCard({ face }: { face: Face }): ReactNode {
  const { t } = useI18n();
  const tone = face.kind === 'connected' && face.tunnel.shape === 'gre-plain' ? 'warn' : TONES[face.kind];
  return (
    <section className="card state-card" data-tone={tone} data-state={face.kind} aria-label={t(`state.${face.kind}`)}>
      <div className="state-head">
        <span className="state-mark" {...(MOVING.has(face.kind) ? { 'data-moving': '' } : {})}>
          <Icon name={ICONS[face.kind]} />
        </span>
        <div className="state-words grow">
          <Words face={face} />
        </div>
        <div className="state-acts">
          <Again face={face} />
          <Acts face={face} />
        </div>
      </div>
      <More face={face} />
    </section>
  );
}

function Words({ face }: { face: Face }): ReactNode {
  const { t } = useI18n();
  switch (face.kind) {
    case 'starting':
      return <Title>{t('connection.starting')}</Title>;
    case 'unreachable':
      return (
        <>
          <Title>{t('connection.unreachable')}</Title>
          <p className="quiet">{t('connection.unreachableText')}</p>
          {face.wish ? (
            <p>
              {face.wish.kind === 'connect'
                ? t('connection.heldConnect', { profile: face.wish.profile })
                : t('connection.heldDisconnect')}
            </p>
          ) : null}
          <Countdown until={face.retryAt} />
        </>
      );
    case 'refused':
      return (
        <>
          <Title>{t('connection.refused')}</Title>
          <p className="quiet">{t('connection.refusedText')}</p>
        </>
      );
    case 'disconnected':
      return (
        <>
          <Title>{t('connection.disconnected')}</Title>
          <p className="quiet">{t('connection.disconnectedText')}</p>
        </>
      );
    case 'connecting':
      return (
        <>
          <Title>{t('connection.connecting', { profile: face.profile })}</Title>
          {face.attempt > 1 ? <p className="quiet">{t('connection.attempt', { number: face.attempt })}</p> : null}
        </>
      );
    case 'connected': {
      const words = { profile: face.profile };
      const plain = face.tunnel.shape === 'gre-plain';
      return (
        <>
          <Title>{plain ? t('connection.unencrypted', words) : t('connection.connected', words)}</Title>
          <Carries routes={face.tunnel.routes} />
          <ConnectedFor since={face.tunnel.since} />
        </>
      );
    }
    case 'reconnecting':
      return (
        <>
          <Title>{t('connection.reconnecting', { profile: face.profile })}</Title>
          <p className="quiet">{face.held ? t('connection.held') : t('connection.reconnectingText')}</p>
          {face.held ? null : <Countdown until={face.retryAt} attempt={face.attempt} />}
        </>
      );
    case 'blocked':
      return (
        <>
          <Title>{t('connection.blocked', { profile: face.profile })}</Title>
          {face.prefixes.length > 0 ? (
            <>
              <p className="quiet">{t('connection.blockedText')}</p>
              <p className="mono break">
                <bdi>{face.prefixes.join(', ')}</bdi>
              </p>
            </>
          ) : null}
          {face.held ? (
            <p className="quiet">{t('connection.held')}</p>
          ) : (
            <Countdown until={face.retryAt} attempt={face.attempt} />
          )}
        </>
      );
    case 'disconnecting':
      return (
        <>
          <Title>{t('connection.disconnecting', { profile: face.profile })}</Title>
          <p className="quiet">{t('connection.disconnectingText')}</p>
        </>
      );
    case 'failed':
      return <Title>{t('connection.failed', { profile: face.profile })}</Title>;
  }
}

function Title({ children }: { children: string }): ReactNode {
  return <h2 className="state-title break">{children}</h2>;
}

function ConnectedFor({ since }: { since: number }): ReactNode {
  const { t, f } = useI18n();
  const now = useNow(since);
  return (
    <p>
      <span className="quiet">{t('connection.connectedFor')}</span>{' '}
      <span className="numeric" role="timer" title={f.dateTime(since)}>
        {f.clock(now - since)}
      </span>
    </p>
  );
}

/** To the next try; null: it is under way. */
function Countdown({ until, attempt }: { until: number | null; attempt?: number }): ReactNode {
  const { t, f } = useI18n();
  const now = useNow(until ?? 0);
  const left = until === null ? 0 : Math.ceil((until - now) / 1000) * 1000;
  return (
    <p className="numeric" role="timer">
      {left > 0 ? t('connection.nextTry', { time: f.duration(left) }) : t('connection.trying')}
      {attempt ? <span className="quiet"> · {t('connection.attempt', { number: attempt })}</span> : null}
    </p>
  );
}

const profilesOf = (model: Model): Model['profiles'] => model.profiles;
const wishOf = (model: Model): Model['wish'] => model.wish;

/** Before the other act, which stays the same element in every state: the focus of the keyboard stays on it. */
function Again({ face }: { face: Face }): ReactNode {
  const { t } = useI18n();
  const engine = useEngine();
  if ((face.kind !== 'reconnecting' && face.kind !== 'blocked') || !face.held) return null;
  return (
    <Button kind="primary" size="large" icon="power" onPress={() => engine.connect(face.profile)}>
      {t('connection.tryAgain')}
    </Button>
  );
}

function Acts({ face }: { face: Face }): ReactNode {
  const { t } = useI18n();
  const engine = useEngine();
  const profile = useModel(currentProfile);
  const profiles = useModel(profilesOf);
  const wish = useModel(wishOf);
  switch (face.kind) {
    case 'starting':
      return null;
    case 'unreachable':
    case 'refused':
      return (
        <Button size="large" icon="refresh" onPress={engine.retry}>
          {t('app.tryNow')}
        </Button>
      );
    case 'disconnected':
    case 'failed':
      if (profiles?.profiles.length === 0)
        return (
          <Button kind="primary" size="large" icon="plus" onPress={() => goTo('profiles')}>
            {t('connection.import')}
          </Button>
        );
      return (
        <Button
          kind="primary"
          size="large"
          icon="power"
          disabled={!profile}
          onPress={() => profile && engine.connect(profile)}
        >
          {face.kind === 'failed' ? t('connection.tryAgain') : t('connection.connect')}
        </Button>
      );
    case 'connecting':
      return (
        <Button size="large" busy={wish?.kind === 'disconnect'} onPress={engine.disconnect}>
          {t('connection.cancel')}
        </Button>
      );
    case 'connected':
      return (
        <Button size="large" icon="power" onPress={engine.disconnect}>
          {t('connection.disconnect')}
        </Button>
      );
    case 'reconnecting':
    case 'blocked':
      return (
        <Button size="large" onPress={engine.disconnect}>
          {t('connection.stop')}
        </Button>
      );
    case 'disconnecting':
      return (
        <Button size="large" busy>
          {t('connection.disconnect')}
        </Button>
      );
  }
}

function More({ face }: { face: Face }): ReactNode {
  const { t } = useI18n();
  const engine = useEngine();
  const profiles = useModel(profilesOf);
  switch (face.kind) {
    case 'refused':
      return <Problem error={face.because} />;
    case 'disconnected':
      return (
        <>
          {face.restarted ? (
            <Notice
              tone="warn"
              actions={
                <Button kind="quiet" size="small" onPress={engine.dismissRestart}>
                  {t('connection.dismiss')}
                </Button>
              }
            >
              {t('connection.restarted')}
            </Notice>
          ) : null}
          {profiles?.profiles.length === 0 ? <p className="quiet">{t('connection.noneText')}</p> : <ProfilePicker />}
          {face.lastError ? (
            <div className="stack tight">
              <h3>{t('connection.lastError')}</h3>
              <Problem error={face.lastError} tone="warn" />
            </div>
          ) : null}
        </>
      );
    case 'failed':
      return (
        <>
          <Problem error={face.error} />
          <ProfilePicker />
        </>
      );
    case 'connecting':
      return <Steps now={face.step} />;
    case 'reconnecting':
    case 'blocked':
      return <Problem error={face.because} tone="warn" />;
    case 'starting':
    case 'unreachable':
    case 'connected':
    case 'disconnecting':
      return null;
  }
}
