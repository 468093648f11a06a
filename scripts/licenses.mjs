import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

const LICENSE_FILE = /^(licen[cs]e|copying|notice)([.-].*)?$/i

/** The licenses that what ships may have; the same list guards pull requests. */
export const ALLOWED_LICENSES = ['MIT', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0', '0BSD']

/** The folder of the package that a module's file is in; undefined for the project's own. */
function packageFolder(file) {
  return /^.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+/.exec(file)?.[0]
}

/** The folders of all packages with code in the bundle: also of the modules that the bundler joined into one. */
function packageFolders(modules, found = new Set()) {
  for (const { nameForCondition, modules: joined } of modules) {
    const folder = packageFolder(nameForCondition ?? '')
    if (folder !== undefined) found.add(folder)
    if (joined !== undefined) packageFolders(joined, found)
  }
  return found
}

/** One package's heading and license text. Throws if the license is not among those that are allowed. */
function licenseOf(folder) {
  const { name, version, license } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'))
  if (!ALLOWED_LICENSES.includes(license)) {
    throw new Error(
      `${name} ${version} has the license "${license}", which is not among those that may be shipped.`,
    )
  }
  const texts = readdirSync(folder)
    .filter((file) => LICENSE_FILE.test(file))
    .sort()
    .map((file) => readFileSync(path.join(folder, file), 'utf8').replaceAll('\r\n', '\n').trim())
  return [`${name} ${version}`, license, ...texts].join('\n\n')
}

/** The text of licenses.txt for a bundle, from webpack's account of it: sorted, the same on every machine. */
export function licensesOf(stats) {
  const { modules } = stats.toJson({ all: false, modules: true, nestedModules: true })
  const sections = [...packageFolders(modules)].map(licenseOf).sort()
  return `${[...new Set(sections)].join(`\n\n${'-'.repeat(80)}\n\n`)}\n`
}
