import type { VersionEntry } from './models.ts'
import type { SimulatedVersion, Simulator } from './types.ts'
import type { World } from './world.ts'

/** What a test does to models, as another program would. */
export function modelControls(world: World): Pick<Simulator, 'addModelVersion' | 'setStage'> {
  return {
    addModelVersion: (model, { name: named, stage } = {}) => {
      const project = world.pipelines[0]?.project ?? world.projects[0]
      if (project === undefined) throw new Error('The simulator has no project.')
      const version = world.models.add(world, {
        ...{ project, name: model, named, at: world.clock.now() },
        owned: world.ownsSeeded,
      })
      version.stage = stage ?? null
      return versionView(version)
    },
    setStage: (versionId, stage) => {
      const version = world.models.versions.find(({ id }) => id === versionId)
      if (version === undefined) throw new Error(`The simulator has no model version ${versionId}.`)
      version.stage = stage
    },
  }
}

export function versionView(version: VersionEntry): SimulatedVersion {
  const { id, name, number, model } = version
  return {
    ...{ id, name, number, model: model.name },
    get stage() {
      return version.stage
    },
  }
}
