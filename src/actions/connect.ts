import type { Credential } from '../github/inputs.ts'
import type { WorkflowLog } from '../github/log.ts'
import type { Reporter } from '../run/reporter.ts'
import { Api } from '../zenml/api.ts'
import { ZenmlClient } from '../zenml/client.ts'
import type { Clock } from '../zenml/clock.ts'
import { Http } from '../zenml/http.ts'
import { KnownSecrets } from '../zenml/known-secrets.ts'
import { KeySession, TokenSession, type Session } from '../zenml/session.ts'
import { USER_AGENT } from '../zenml/user-agent.ts'

export interface Connection {
  readonly client: ZenmlClient
  readonly session: Session
  /** Ends the connections, so that the process can end. */
  close(): Promise<void>
}

export interface ConnectOptions {
  readonly baseUrl: string
  readonly credential: Credential
  readonly clock: Clock
  readonly log: WorkflowLog
  readonly reporter: Reporter
}

/** Makes a client of the server that the inputs name; nothing is sent yet. */
export function connect({ baseUrl, credential, clock, log, reporter }: ConnectOptions): Connection {
  const http = new Http(USER_AGENT)
  const secrets = new KnownSecrets()
  secrets.add(credential.kind === 'api-key' ? credential.key : credential.token)
  const life = new AbortController()
  const onRetry = (line: string, waitMs: number): void => {
    reporter.tell({ kind: 'retry', line, waitMs })
  }
  const onToken = (token: string): void => {
    log.mask(token)
  }
  const session =
    credential.kind === 'api-key'
      ? new KeySession(baseUrl, credential.key, {
          http,
          secrets,
          clock,
          onToken,
          onWait: onRetry,
          signal: life.signal,
        })
      : new TokenSession(credential.token)
  return {
    session,
    client: new ZenmlClient(new Api({ http, baseUrl, secrets, session, clock, onRetry })),
    close: () => {
      // A login that waits for its minute would keep the process alive.
      life.abort(new Error('the connection was closed'))
      return http.close()
    },
  }
}
