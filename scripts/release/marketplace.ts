import { parse } from 'yaml'
import { z } from 'zod'

/** GitHub lists no action with a longer one. */
const LONGEST_DESCRIPTION = 125

const COLORS = 'white black yellow blue green orange red purple gray-dark'

/** The icons of Feather 4.28 without those that GitHub leaves out. */
const ICONS = `
  activity airplay alert-circle alert-octagon alert-triangle align-center align-justify align-left
  align-right anchor aperture archive arrow-down-circle arrow-down-left arrow-down-right arrow-down
  arrow-left-circle arrow-left arrow-right-circle arrow-right arrow-up-circle arrow-up-left arrow-up-right
  arrow-up at-sign award bar-chart-2 bar-chart battery-charging battery bell-off bell bluetooth bold
  book-open book bookmark box briefcase calendar camera-off camera cast check-circle check-square check
  chevron-down chevron-left chevron-right chevron-up chevrons-down chevrons-left chevrons-right chevrons-up
  circle clipboard clock cloud-drizzle cloud-lightning cloud-off cloud-rain cloud-snow cloud code command
  compass copy corner-down-left corner-down-right corner-left-down corner-left-up corner-right-down
  corner-right-up corner-up-left corner-up-right cpu credit-card crop crosshair database delete disc
  dollar-sign download-cloud download droplet edit-2 edit-3 edit external-link eye-off eye fast-forward
  feather file-minus file-plus file-text file film filter flag folder-minus folder-plus folder gift
  git-branch git-commit git-merge git-pull-request globe grid hard-drive hash headphones heart help-circle
  home image inbox info italic layers layout life-buoy link-2 link list loader lock log-in log-out mail
  map-pin map maximize-2 maximize menu message-circle message-square mic-off mic minimize-2 minimize
  minus-circle minus-square minus monitor moon more-horizontal more-vertical move music navigation-2
  navigation octagon package paperclip pause-circle pause percent phone-call phone-forwarded phone-incoming
  phone-missed phone-off phone-outgoing phone pie-chart play-circle play plus-circle plus-square plus
  pocket power printer radio refresh-ccw refresh-cw repeat rewind rotate-ccw rotate-cw rss save scissors
  search send server settings share-2 share shield-off shield shopping-bag shopping-cart shuffle sidebar
  skip-back skip-forward slash sliders smartphone speaker square star stop-circle sun sunrise sunset table
  tablet tag target terminal thermometer thumbs-down thumbs-up toggle-left toggle-right trash-2 trash
  trending-down trending-up triangle truck tv type umbrella underline unlock upload-cloud upload user-check
  user-minus user-plus user-x user users video-off video voicemail volume-1 volume-2 volume-x volume watch
  wifi-off wifi wind x-circle x-square x zap-off zap zoom-in zoom-out
`

const Listed = z.object({
  name: z.string(),
  description: z.string(),
  branding: z.object({ icon: z.string(), color: z.string() }),
})

/** Why GitHub's Marketplace would not list an action with this action.yml; empty if it would. */
export function marketplaceFaults(actionFile: string): string[] {
  const { name, description, branding } = Listed.parse(parse(actionFile))
  const faults = [
    [name.trim() === '', 'it has no name'],
    [
      description.length >= LONGEST_DESCRIPTION,
      `the description has ${description.length} characters, and must have fewer than ${LONGEST_DESCRIPTION}`,
    ],
    [!isWordOf(ICONS, branding.icon), `${branding.icon} is no icon that GitHub has`],
    [!isWordOf(COLORS, branding.color), `${branding.color} is no color that GitHub has`],
  ] as const
  return faults.flatMap(([isFault, text]) => (isFault ? [text] : []))
}

function isWordOf(list: string, word: string): boolean {
  return list.split(/\s+/).includes(word) && word !== ''
}
