/** 64 friendly adjectives; changing the list renames every device that set no name of its own. */
export const ADJECTIVES: readonly string[] = `
  Agile Amber Ample Apt Arctic Autumn Azure Balmy Bold Brave Breezy Bright Brisk Bronze Calm Candid Cheery Clear
  Clever Cobalt Copper Coral Cosmic Crimson Crisp Curious Dapper Deft Early Earnest Sunny Eager Fair Fleet Floral
  Frosty Gentle Gilded Glad Golden Grand Hardy Hazel Honest Indigo Ivory Jade Jolly Keen Kind Lively Lucid Lunar
  Mellow Merry Mighty Mint Misty Neat Nimble Noble Olive Opal Patient
`
  .trim()
  .split(/\s+/);

/** 96 animals and plants; see above. */
export const NOUNS: readonly string[] = `
  Albatross Alder Antelope Aspen Avocet Badger Bullfinch Bison Birch Bluebird Bunting Caribou Cedar Chamois Cheetah
  Clover Condor Coyote Crane Curlew Cypress Dolphin Dove Dragonfly Eagle Egret Elk Falcon Fern Finch Firefly Fox
  Gannet Gazelle Gecko Goldfinch Goshawk Grebe Gull Hare Harrier Hawk Hazelnut Heron Hickory Hoopoe Hummingbird
  Ibex Ibis Iris Jackdaw Jaguar Juniper Kestrel Kingfisher Kiwi Koala Lapwing Lark Larch Lemur Linnet Lotus Lynx
  Magnolia Magpie Manatee Maple Marlin Marmot Martin Merlin Narwhal Nightingale Ocelot Orca Oriole Osprey Otter
  Owl Panda Panther Pelican Penguin Petrel Pine Plover Poppy Puffin Puma Quail Raven Redwood Robin Rowan Salmon
`
  .trim()
  .split(/\s+/);
