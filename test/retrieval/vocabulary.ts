/** The words that made-up manuals are written in. Words of one entry mean the same, and nothing else here does. */

const entries = (text: string): readonly (readonly string[])[] =>
  text.split(',').map((entry) => entry.trim().split(' '))

export const DEVICES = entries(
  `crane hoist, boat vessel, tractor hauler, printer plotter, oven furnace, lift elevator, fridge cooler, saw cutter,
  drill borer, loom weaver, mill grinder, press stamper, lathe turner, mixer blender, fan blower, boiler heater,
  camera recorder, scanner reader, radio transmitter, lamp lantern, scale balance, winch capstan, sieve strainer,
  kiln roaster`,
)
export const PARTS = entries(
  `hose tube, seal gasket, motor engine, gear cog, belt strap, bolt screw, cable wire, fuse breaker, gauge meter,
  filter membrane, bearing bushing, lever handle, nozzle jet, spring coil, valve tap, switch button, frame chassis,
  lid cover, tank container, sensor detector`,
)
export const PROBLEMS = entries(
  `leak drip, noise sound, rust corrosion, crack fracture, overheating scorching, jam blockage, wear abrasion,
  vibration shaking, smell odour, stain blemish, delay lag, spark flash, dust powder, frost ice, drift deviation,
  collapse breakdown`,
)
export const REMEDIES = entries(
  'replace exchange, clean wash, tighten fasten, grease lubricate, inspect examine, align straighten, drain empty, repaint recoat',
)
export const PLACES: readonly string[] =
  'harbour workshop cellar quarry bakery studio depot laboratory farm shipyard'.split(' ')
export const PEOPLE: readonly string[] = 'Amara Bjorn Chiara Dmitri Elif Farid Greta Hiro Ines Jonas Kavya Luis'.split(
  ' ',
)

/** By any of its words, the first word of an entry. */
export const MEANINGS: ReadonlyMap<string, string> = new Map(
  [...DEVICES, ...PARTS, ...PROBLEMS, ...REMEDIES].flatMap((words) => words.map((word) => [word, words[0] ?? word])),
)
