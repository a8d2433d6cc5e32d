import type { Image, ImageEvent } from '../../src/core/wire/image.ts'
import type { ResourceReader, ServedObject, ServedResource } from '../kit/api/resource.ts'
import { clusterImageEventColumns, imageColumns, imageEventColumns } from './columns.ts'
import { imageEventSchemas, imageSchemas } from './schemas.ts'

/** The plurals of the resources that the image graph serves. */
export const IMAGE_GRAPH_PLURALS = ['images', 'clusterimages', 'imageevents', 'clusterimageevents'] as const

/** One of IMAGE_GRAPH_PLURALS. */
export type ImageGraphPlural = (typeof IMAGE_GRAPH_PLURALS)[number]

type Selectable = ServedResource['selectableFields']

// A reader serves objects of its own resource only.
const asImage = (object: ServedObject): Image => object as unknown as Image
const asEvent = (object: ServedObject): ImageEvent => object as unknown as ImageEvent

/** By which fields images can be selected; none of them changes while an object lives. */
export const imageFields: Selectable = {
  'image.reference': (object) => asImage(object).image.reference,
  'image.name': (object) => asImage(object).image.name,
  'image.tag': (object) => asImage(object).image.tag,
}

/** By which fields events can be selected. */
export const imageEventFields: Selectable = {
  image: (object) => asEvent(object).image,
  op: (object) => asEvent(object).op,
  late: (object) => String(asEvent(object).late),
  'pod.namespace': (object) => asEvent(object).pod.namespace,
  'pod.name': (object) => asEvent(object).pod.name,
}

/** Who may list pods sees what is made from pods, and who may watch them, how it changes. */
const rightBehind = {
  list: { group: '', resource: 'pods', verb: 'list' },
  watch: { group: '', resource: 'pods', verb: 'watch' },
} as const

/**
 * The resources of the image graph over their readers: those of the room itself, or of a peer where another pod has the
 * room.
 */
export function imageGraphResources(
  readerOf: (plural: ImageGraphPlural) => ResourceReader,
): readonly ServedResource[] {
  return [
    {
      plural: 'images',
      singular: 'image',
      kind: 'Image',
      namespaced: true,
      shortNames: [],
      description: 'An image that pods of a namespace use, with its users, its digests and its size.',
      properties: imageSchemas,
      columns: imageColumns,
      selectableFields: imageFields,
      rightBehind,
      reader: readerOf('images'),
    },
    {
      plural: 'clusterimages',
      singular: 'clusterimage',
      kind: 'ClusterImage',
      namespaced: false,
      shortNames: [],
      description: 'An image that pods of any namespace use, with its users, its digests and its size.',
      properties: imageSchemas,
      columns: imageColumns,
      selectableFields: imageFields,
      rightBehind,
      reader: readerOf('clusterimages'),
    },
    {
      plural: 'imageevents',
      singular: 'imageevent',
      kind: 'ImageEvent',
      namespaced: true,
      shortNames: [],
      description: 'An image that came into use in a namespace or went out of use there.',
      properties: imageEventSchemas,
      columns: imageEventColumns,
      selectableFields: imageEventFields,
      rightBehind,
      reader: readerOf('imageevents'),
    },
    {
      plural: 'clusterimageevents',
      singular: 'clusterimageevent',
      kind: 'ClusterImageEvent',
      namespaced: false,
      shortNames: [],
      description: 'An image that came into use in the cluster or went out of use there.',
      properties: imageEventSchemas,
      columns: clusterImageEventColumns,
      selectableFields: imageEventFields,
      rightBehind,
      reader: readerOf('clusterimageevents'),
    },
  ]
}
