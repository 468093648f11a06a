import { VirtualClock } from '../../simulator/index.ts'
import { openClient } from '../../src/actions/open-client.ts'
import { WorkflowLog } from '../../src/github/log/workflow-log.ts'
import type { Reporter, RunEvent } from '../../src/run/events.ts'
import type { ZenmlClient } from '../../src/zenml/client.ts'
import { openHttp } from '../http/scripted-server.ts'

/** A client, with a token, of a scripted server that is there already, and what is reported meanwhile. */
export async function openScriptedClient(
  url: string,
): Promise<{ client: ZenmlClient; reporter: Reporter; events: RunEvent[] }> {
  const events: RunEvent[] = []
  const reporter = { tell: (event: RunEvent): void => void events.push(event) }
  const inputs = {
    server: { url, proApiUrl: url },
    credential: { kind: 'access-token', token: 'token-0' },
  } as const
  const log = new WorkflowLog(() => undefined)
  const { client } = await openClient({ inputs, http: openHttp(), clock: new VirtualClock(), log, reporter })
  return { client, reporter, events }
}
