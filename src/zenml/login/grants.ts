import type { Grant, Session } from './session.ts'

/**
 * A service account's key at the server where the runs are: the form field `password` (0.98:
 * zenml/zen_server/routers/auth_endpoints.py, `OAuthLoginRequestForm`).
 *
 * @param otherwise for a ZenML Pro workspace that does not know keys of its organization
 */
export function keyGrant(baseUrl: string, key: string, otherwise?: () => Promise<Grant | undefined>): Grant {
  return {
    doing: 'log in',
    addressInput: 'server-url',
    credentialInput: 'api-key',
    whoAnswers: 'ZenML server',
    advice: 'api-key is the whole key of a service account on this server, and still valid',
    request: () => Promise.resolve({ url: `${baseUrl}/api/v1/login`, form: { password: key } }),
    ...(otherwise && { otherwise }),
  }
}

const MANAGEMENT = {
  doing: 'log in to ZenML Pro',
  addressInput: 'pro-api-url',
  whoAnswers: 'management API of ZenML Pro',
} as const

/** An organization's key at the management API, in form and header, as ZenML's own client 0.98 sends it. */
export function managementKeyGrant(proApiUrl: string, key: string): Grant {
  return {
    ...MANAGEMENT,
    credentialInput: 'api-key',
    advice:
      "api-key is the whole key of a service account of the organization, and still valid; a workspace's own key needs server-url instead of workspace",
    request: () =>
      Promise.resolve({
        url: `${proApiUrl}/auth/login`,
        headers: { authorization: `Bearer ${key}` },
        form: { password: key },
      }),
  }
}

/** The older login of machines at the management API. */
export function managementClientGrant(proApiUrl: string, clientId: string, clientSecret: string): Grant {
  return {
    ...MANAGEMENT,
    credentialInput: 'client-secret',
    advice: 'client-id and client-secret belong together and to this ZenML Pro, and are still valid',
    request: () =>
      Promise.resolve({
        url: `${proApiUrl}/auth/login`,
        form: { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret },
      }),
  }
}

/**
 * The management API's token, exchanged for one of a workspace: ZenML's grant `zenml-external`, which every version
 * takes (seen on 0.85.0 and 0.98.0).
 *
 * @param addressInput the input that the workspace's address came from
 * @param credentialInput the input that the management API's token was given for
 */
export function managementTokenGrant(
  baseUrl: string,
  management: Session,
  {
    addressInput,
    credentialInput,
  }: { readonly addressInput: string; readonly credentialInput: 'api-key' | 'client-secret' },
): Grant {
  return {
    doing: 'log in to the workspace',
    addressInput,
    credentialInput,
    whoAnswers: 'ZenML server',
    advice: 'the account is a member of this workspace and is active',
    request: async ({ fresh }) => {
      if (fresh) await management.renew(await management.token())
      return {
        url: `${baseUrl}/api/v1/login`,
        headers: { authorization: `Bearer ${await management.token()}` },
        form: { grant_type: 'zenml-external' },
      }
    },
  }
}
