/** How the action names itself to servers; the version is package.json's, which a test checks. */
export const USER_AGENT = 'zenml-run-action/1.0.0-rc.1'
